// SPDX-License-Identifier: Apache-2.0
//
// CryptoWorld: two ends that exchange CRYPTO frames through a network that loses, repeats, cuts and
// shuffles them, all from one seed. Each end has a TLS session, CryptoStreams, and a KeyManager
// that says what it could send and read; nothing is encrypted.
#ifndef GODWIT_TESTS_TRANSPORT_LIFECYCLE_CRYPTO_WORLD_H_
#define GODWIT_TESTS_TRANSPORT_LIFECYCLE_CRYPTO_WORLD_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "base/encryption_level.h"
#include "base/result.h"
#include "base/seeded_random.h"
#include "crypto/tls_session.h"
#include "godwit/perspective.h"
#include "transport/delivery/reassembler.h"
#include "transport/delivery/send_buffer.h"
#include "transport/delivery/sent_frame.h"
#include "transport/lifecycle/crypto_streams.h"
#include "transport/lifecycle/key_manager.h"

namespace godwit {

struct CryptoEnd {
  CryptoEnd(Perspective perspective, std::unique_ptr<TlsSession> session);

  // Takes over what the session has: bytes to send, and keys.
  void Collect();
  void Receive(EncryptionLevel level, uint64_t offset, std::span<const uint8_t> data);

  std::unique_ptr<TlsSession> session;
  CryptoStreams streams;
  KeyManager keys;
  SendBlockPool send_pool{100};
  ReceiveBlockPool receive_pool{100};
  Result result = Result::Ok();
};

class CryptoWorld {
 public:
  CryptoWorld(std::unique_ptr<TlsSession> client_session,
              std::unique_ptr<TlsSession> server_session, uint64_t seed)
      : client(Perspective::kClient, std::move(client_session)),
        server(Perspective::kServer, std::move(server_session)),
        random_(seed) {}

  // Until nothing is under way or to be sent, or an end fails. False if that takes too long.
  bool Run();

  CryptoEnd client;
  CryptoEnd server;

 private:
  struct Frame {
    CryptoEnd* from;
    CryptoEnd* to;
    EncryptionLevel level;
    uint64_t offset;
    std::vector<uint8_t> data;
    SentFrame sent;
  };

  bool IsLucky(uint64_t percent) { return random_.UniformBelow(100) < percent; }
  bool HasPending(const CryptoEnd& end) const;
  void WritePacket(CryptoEnd& from, CryptoEnd& to);
  void Deliver(const Frame& frame);
  void DecideFateOfOne();

  SeededRandom random_;
  std::vector<Frame> network_;
};

}  // namespace godwit

#endif  // GODWIT_TESTS_TRANSPORT_LIFECYCLE_CRYPTO_WORLD_H_
