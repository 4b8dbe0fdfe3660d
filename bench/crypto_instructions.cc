// SPDX-License-Identifier: Apache-2.0
//
// Does a fixed amount of packet protection, for an instruction counter:
//
//   crypto_instructions OPERATION CIPHER PACKET_BYTES TRAINS
//
// OPERATION is seal_ or open_ with bare_aead, packet, train or key_phases behind it, or
// header_single, header_train. bench/crypto_instructions.py calls it under callgrind with two
// numbers of trains, so that the difference is free of start-up, and prints instructions a packet.

#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "bench/crypto_workload.h"
#include "crypto/cipher_suite.h"

namespace godwit {
namespace {

// False if there is no such operation.
bool RunTrains(std::string_view operation, CipherSuite suite, size_t packet_bytes, int trains) {
  if (operation == "header_single" || operation == "header_train") {
    HeaderWorkload workload(suite);
    for (int i = 0; i < trains; ++i) {
      operation == "header_single" ? workload.RunSingle() : workload.RunTrain();
    }
    return true;
  }
  for (const Protection protection : kProtections) {
    const std::string name(ToString(protection));
    if (operation == "seal_" + name) {
      SealWorkload workload(suite, packet_bytes);
      for (int i = 0; i < trains; ++i) workload.Run(protection);
      return true;
    }
    if (operation == "open_" + name) {
      OpenWorkload workload(suite, packet_bytes);
      for (int i = 0; i < trains; ++i) {
        workload.Restore(protection);
        workload.Run(protection);
      }
      return true;
    }
  }
  return false;
}

}  // namespace
}  // namespace godwit

int main(int argc, char** argv) {
  if (argc == 5) {
    for (const godwit::CipherSuite suite : godwit::kBenchSuites) {
      if (argv[2] != godwit::ShortName(suite)) continue;
      const auto packet_bytes = static_cast<size_t>(std::atoi(argv[3]));
      if (godwit::RunTrains(argv[1], suite, packet_bytes, std::atoi(argv[4]))) return 0;
    }
  }
  std::fprintf(stderr, "usage: %s OPERATION aes128|aes256|chacha20 PACKET_BYTES TRAINS\n", argv[0]);
  return 2;
}
