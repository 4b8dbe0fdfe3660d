// SPDX-License-Identifier: Apache-2.0
//
// StreamPeer: a StreamMap with what a connection puts around it: pools, a clock that is turned by
// hand, packets that it writes and reads. For tests.
#ifndef GODWIT_TESTS_TRANSPORT_STREAMS_STREAM_PEER_H_
#define GODWIT_TESTS_TRANSPORT_STREAMS_STREAM_PEER_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/packet_number.h"
#include "base/result.h"
#include "godwit/connection_config.h"
#include "godwit/perspective.h"
#include "godwit/stream_event.h"
#include "godwit/stream_id.h"
#include "godwit/time.h"
#include "transport/delivery/sent_frame.h"
#include "transport/streams/stream_map.h"
#include "transport/streams/stream_pools.h"
#include "transport/wire/frame.h"
#include "transport/wire/transport_parameters.h"

namespace godwit {

// What `config` declares to the peer.
TransportParameters ParametersOf(const StreamConfig& config);

// As the tests write stream data.
inline std::span<const uint8_t> BytesOf(std::string_view text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

struct StreamPacket {
  PacketNumber number = PacketNumber(0);
  std::vector<uint8_t> payload;
  std::vector<SentFrame> frames;
};

class StreamPeer {
 public:
  static constexpr size_t kPacketRoom = 1200;
  // How much may be written is the send buffer's to say, unless a test sets another one.
  static constexpr uint64_t kWideWindowBytes = uint64_t{1} << 40;

  StreamPeer(Perspective perspective, const StreamConfig& config);

  StreamMap& map() { return map_; }
  StreamPools& pools() { return pools_; }
  StreamContext context();

  void Advance(Duration duration) { now_ += duration; }
  void SetRtt(Duration rtt) { rtt_ = rtt; }
  void SetMayGrowWindows(bool may_grow) { may_grow_ = may_grow; }

  // What is pending, control before data, as far as it fits. No frames: nothing was.
  StreamPacket BuildPacket(size_t room = kPacketRoom,
                           StreamMap::Fill fill = StreamMap::Fill::kMayScatter);
  void OnAcked(const StreamPacket& packet);
  void OnLost(const StreamPacket& packet);

  // Every frame of a packet of the other side. The packet's memory may go away only after
  // EndBatch().
  Result Receive(std::span<const uint8_t> payload);
  void EndBatch() { map_.KeepBorrowed(pools_); }

  // ---- The application ----

  std::vector<StreamEvent> PollAll();
  // What is readable, without consuming it.
  std::string Peek(StreamId id);
  // Reads all that there is.
  std::string Read(StreamId id);
  // All of it is taken.
  void Write(StreamId id, std::string_view text);

 private:
  Result Dispatch(const Frame& frame);

  Perspective perspective_;
  StreamPools pools_{SendBlockPool(1024), ReceiveBlockPool(4096)};
  StreamMap map_;
  Timestamp now_ = Timestamp::FromNanoseconds(1'000'000'000);
  Duration rtt_ = Duration::Milliseconds(100);
  bool may_grow_ = true;
  uint64_t next_packet_number_ = 0;
};

// Carries packets both ways, acknowledging each, until nobody has anything to say.
void Exchange(StreamPeer& a, StreamPeer& b);

}  // namespace godwit

#endif  // GODWIT_TESTS_TRANSPORT_STREAMS_STREAM_PEER_H_
