// SPDX-License-Identifier: Apache-2.0
//
// HashedStream: one end of a bidirectional stream that proves itself. In each direction goes
// content that follows from a seed and nowhere repeats, then the SHA-256 of all that was sent
// before it. The receiver hashes what it reads and compares. The client's direction begins with a
// request, which tells the server the seed and both lengths; the server ends its direction only
// when the client's has arrived as it was sent. So an end that the client reads says that both
// directions are whole.
//
// Takes and gives bytes; knows no connection.
#ifndef GODWIT_TESTS_E2E_HASHED_STREAM_H_
#define GODWIT_TESTS_E2E_HASHED_STREAM_H_

#include <openssl/sha.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace godwit {

struct HashedRequest {
  uint64_t seed = 0;
  uint64_t up_bytes = 0;  // Of content, from client to server.
  uint64_t down_bytes = 0;

  friend bool operator==(const HashedRequest&, const HashedRequest&) = default;
};

class HashedStream {
 public:
  explicit HashedStream(const HashedRequest& request);  // The client's end.
  HashedStream() = default;                             // The server's: it reads the request.

  // To be written next; empty if there is nothing, now or any more. Valid until the next call that
  // is not const.
  std::span<const uint8_t> Pending();
  void OnWritten(size_t bytes);
  // True once, when the end of this direction is to be sent.
  bool TakeEnd();

  void OnRead(std::span<const uint8_t> bytes);
  void OnPeerEnd();
  bool has_peer_ended() const { return has_peer_ended_; }

  // Both directions have ended and the peer's was whole.
  bool is_done() const { return has_peer_ended_ && has_ended_ && failure_.empty(); }
  // Empty: nothing is wrong so far.
  const std::string& failure() const { return failure_; }

 private:
  void BeginContent();
  void FillPending();
  size_t ReadRequest(std::span<const uint8_t> bytes);
  void Fail(std::string failure);

  static constexpr size_t kPieceBytes = size_t{32} << 10;

  bool is_client_ = false;
  std::optional<HashedRequest> request_;
  std::string failure_;

  // This direction.
  std::vector<uint8_t> pending_;
  size_t pending_written_ = 0;
  uint64_t seed_ = 0;
  uint64_t content_left_ = 0;
  uint64_t content_words_ = 0;  // Made so far.
  SHA256_CTX sent_ = {};
  bool has_made_all_ = false;
  bool has_ended_ = false;

  // The peer's.
  std::vector<uint8_t> request_bytes_;
  uint64_t to_hash_ = 0;  // Of what is still to come, before the hash.
  SHA256_CTX received_ = {};
  std::vector<uint8_t> received_hash_;
  bool has_peer_ended_ = false;
};

}  // namespace godwit

#endif  // GODWIT_TESTS_E2E_HASHED_STREAM_H_
