// SPDX-License-Identifier: Apache-2.0
//
// Parses a block of transport parameters as each endpoint's. What is accepted is written again, in
// the fixed order and in one that the input chooses, and must mean the same. What a server may say
// and a client may not is all that the two may differ in.
// tests/fuzz/make_transport_parameters_corpus.py makes the seed corpus.
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/check.h"
#include "base/limits.h"
#include "base/result.h"
#include "base/transport_error_code.h"
#include "godwit/perspective.h"
#include "transport/wire/byte_writer.h"
#include "transport/wire/transport_parameters.h"
#include "transport/wire/zero_rtt_parameters.h"

namespace godwit {
namespace {

// At most, with the id and the length.
constexpr size_t kReservedSize = 16;

void CheckRoundTrip(const TransportParameters& parameters, Perspective sender,
                    const TransportParameterEncoding& encoding) {
  std::vector<uint8_t> block(EncodedSize(parameters, encoding));
  ByteWriter writer(block);
  WriteTransportParameters(parameters, sender, encoding, writer);
  GODWIT_CHECK_EQ(writer.space_left(), 0u);
  TransportParameters again;
  GODWIT_CHECK(ParseTransportParameters(block, sender, &again).ok());
  GODWIT_CHECK(again == parameters);
}

bool Parse(std::span<const uint8_t> data, Perspective sender) {
  TransportParameters parameters;
  const Result result = ParseTransportParameters(data, sender, &parameters);
  if (!result.ok()) {
    GODWIT_CHECK(result.error().code == TransportErrorCode::kTransportParameterError);
    GODWIT_CHECK(parameters == TransportParameters());
    return false;
  }
  // Nothing that was read has a longer encoding than it came in.
  GODWIT_CHECK_LE(EncodedSize(parameters), data.size());
  CheckRoundTrip(parameters, sender, {});
  const uint64_t bits = data.size() * 0x0101010101010101 + (data.empty() ? 0 : data.back());
  if (data.size() + kReservedSize <= kMaxTransportParameterBytes) {
    constexpr uint8_t kValue[kReservedSize - kMaxVarintBytes - 1] = {};
    CheckRoundTrip(parameters, sender,
                   {.reserved = ReservedTransportParameter{bits, kValue}, .order_seed = bits});
  }
  const TransportParameters remembered = RememberedForZeroRtt(parameters);
  CheckRoundTrip(remembered, Perspective::kServer, {});
  GODWIT_CHECK(CheckZeroRttParameters({.remembered = remembered, .current = parameters}).ok());
  return true;
}

}  // namespace
}  // namespace godwit

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const bool of_client = godwit::Parse({data, size}, godwit::Perspective::kClient);
  const bool of_server = godwit::Parse({data, size}, godwit::Perspective::kServer);
  GODWIT_CHECK(of_server || !of_client);
  return 0;
}
