// SPDX-License-Identifier: Apache-2.0
//
// TransferFlow: one end of one byte stream of a transfer, whatever carries it (a QUIC stream, a TCP
// connection): what it sends next, what it expects, when it has finished. The client's end begins
// with a TransferRequest, which tells the server all it needs to know. Takes bytes and times, does
// no I/O.
//
// The client ends its direction after what it has to send; the server only when it has also read
// the client's direction to its end. So the end that the client reads says that all has arrived.
//
// Invariant: an end that received anything but what was asked for has failed for good.
#ifndef GODWIT_BENCH_TRANSFER_FLOW_H_
#define GODWIT_BENCH_TRANSFER_FLOW_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "bench/transfer_options.h"
#include "bench/transfer_pattern.h"
#include "godwit/time.h"

namespace godwit {

struct TransferRequest {
  static constexpr size_t kBytes = 40;

  TransferDirection direction = TransferDirection::kDownload;
  bool verifies = false;
  uint64_t bytes = 0;             // Of this flow, in each direction. 0: `duration` decides.
  Duration duration;              // In whole milliseconds.
  uint32_t flow = 0;              // Its number, which the pattern depends on.
  uint32_t flow_count = 0;        // Of this client, over all its connections.
  uint32_t connection_count = 0;  // Of this client.

  // The request of flow `flow` of a client with these options: of the bytes it gets its share.
  static TransferRequest For(const TransferOptions& options, uint32_t flow);
  // Nothing if it is none.
  static std::optional<TransferRequest> Decode(std::span<const uint8_t, kBytes> bytes);

  std::array<uint8_t, kBytes> Encode() const;
};

class TransferFlow {
 public:
  enum class State : uint8_t {
    kOpen,
    kDone,    // Both directions have ended, and all is as it was asked for.
    kFailed,  // See failure().
  };

  // The server's end. `pattern` must outlive it.
  explicit TransferFlow(const TransferPattern& pattern);
  // The client's end; the time for which it sends begins now.
  TransferFlow(const TransferPattern& pattern, const TransferRequest& request, Timestamp now);

  // To be sent next, some 100 KiB at most. Empty: nothing, now or any more. Valid as long as the
  // pattern and this object.
  std::span<const uint8_t> PendingBytes(Timestamp now);
  // The first `count` of them are on their way.
  void OnSent(size_t count);
  // The end of this direction is to be sent: once, then OnEndSent().
  bool wants_to_end() const;
  void OnEndSent();

  // What arrived, in order; then the end of the peer's direction.
  void OnReceived(std::span<const uint8_t> bytes, Timestamp now);
  void OnPeerEnded();

  State state() const { return state_; }
  const char* failure() const { return failure_; }
  // Of a server: nothing until it has arrived.
  const std::optional<TransferRequest>& request() const { return request_; }
  // Of the pattern; requests do not count.
  uint64_t bytes_sent() const { return bytes_sent_; }
  uint64_t bytes_received() const { return bytes_received_; }

 private:
  bool sends_pattern() const;
  bool expects_pattern() const;
  void Begin(Timestamp now);
  void ReadRequest(std::span<const uint8_t>& bytes, Timestamp now);
  void Fail(const char* failure);
  void UpdateState();

  const TransferPattern* pattern_;
  TransferRole role_;
  std::optional<TransferRequest> request_;
  // The request, as it is sent or as it has arrived so far.
  std::array<uint8_t, TransferRequest::kBytes> request_bytes_ = {};
  size_t request_bytes_done_ = 0;

  Timestamp send_until_;
  uint64_t bytes_sent_ = 0;
  uint64_t bytes_received_ = 0;
  bool has_sent_all_ = false;
  bool has_sent_end_ = false;
  bool has_peer_ended_ = false;
  State state_ = State::kOpen;
  const char* failure_ = "";
};

}  // namespace godwit

#endif  // GODWIT_BENCH_TRANSFER_FLOW_H_
