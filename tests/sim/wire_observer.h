// SPDX-License-Identifier: Apache-2.0
//
// WireObserver: reads the packets on the wire with the secrets of the run, writes their numbers and
// frames into the trace, and checks what an outsider with the keys can check: packet numbers that
// only rise, stream data within the credit that the receiver has sent, acknowledgments of packets
// that were sent.
//
// It has its own idea of the protocol, except for decoding. Packets that it cannot read (sealed
// with keys that it has not seen, stateless resets) are counted and left alone.
#ifndef GODWIT_TESTS_SIM_WIRE_OBSERVER_H_
#define GODWIT_TESTS_SIM_WIRE_OBSERVER_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/encryption_level.h"
#include "base/packet_number.h"
#include "crypto/header_protector.h"
#include "crypto/key_schedule.h"
#include "crypto/packet_protector.h"
#include "godwit/connection_config.h"
#include "godwit/perspective.h"
#include "tests/sim/event_queue.h"
#include "tests/sim/secret_book.h"
#include "tests/sim/sim_network.h"
#include "tests/sim/sim_packet.h"
#include "tests/sim/sim_trace.h"
#include "transport/wire/frame.h"
#include "transport/wire/protected_packet.h"

namespace godwit {

// A packet that the observer could read.
struct ObservedPacket {
  Timestamp sent_at;
  Perspective sender;
  EncryptionLevel level;
  PacketNumber packet_number;
  uint64_t key_generation;
  const SimPacket* datagram;
};

class WireObserver final : public SimNetwork::Observer {
 public:
  using FrameHook = std::function<void(const ObservedPacket&, const Frame&)>;

  // All outlive it.
  WireObserver(const SecretBook* book, EventQueue* queue, SimTrace* trace)
      : book_(*book), queue_(*queue), trace_(*trace) {}

  struct End {
    Perspective perspective;
    std::string name;
    size_t connection_id_bytes;
    StreamConfig streams;  // What it declares.
  };
  void AddEnd(SimNetwork::NodeId node, const End& end) { ends_.emplace(node, end); }

  // Sees every frame of packets that could be read.
  void SetFrameHook(FrameHook hook) { hook_ = std::move(hook); }

  void OnSent(SimNetwork::NodeId from, SimNetwork::NodeId to, const SimPacket& packet) override;
  void OnDelivered(SimNetwork::NodeId from, SimNetwork::NodeId to,
                   const SimPacket& packet) override;

  bool CarriesPathResponse(const SimPacket& packet) const {
    return path_responses_.contains(packet.number);
  }
  uint64_t unreadable_packets() const { return unreadable_packets_; }
  // Of 1-RTT, by sender: how often the keys were updated.
  uint64_t key_generation(Perspective sender) const;
  const std::string& problem() const { return problem_; }

 private:
  // Of one sender at one level of one connection.
  struct Keys {
    Keys(EncryptionLevel level, Perspective sender, const TrafficSecret& secret);

    EncryptionLevel level;
    Perspective sender;
    TrafficSecret secret;
    HeaderProtector header;
    PacketOpener opener;
    uint64_t generation = 0;
    std::optional<PacketNumber> largest;
  };
  // Of a connection, by receiver of the data.
  struct Credit {
    uint64_t max_data = 0;
    uint64_t used = 0;
    std::map<uint64_t, uint64_t> max_stream_data;
    std::map<uint64_t, uint64_t> highest;
  };

  // True if `dcid` is a new one.
  bool LearnInitialKeys(std::span<const uint8_t> dcid);
  void LearnSecrets();
  void ReadPacket(const End& sender, const End& receiver, const SimPacket& datagram,
                  const ProtectedPacket& packet);
  bool TryAllKeys(const End& sender, const End& receiver, const SimPacket& datagram,
                  const ProtectedPacket& packet);
  bool TryKeys(Keys& keys, const End& sender, const End& receiver, const SimPacket& datagram,
               const ProtectedPacket& packet);
  void ReadFrames(const ObservedPacket& packet, const Keys& keys, const End& sender,
                  const End& receiver, std::span<const uint8_t> payload);
  void CheckFrame(const ObservedPacket& packet, const Keys& keys, const End& sender,
                  const End& receiver, const Frame& frame);
  void CheckAck(const Keys& keys, const AckFrame& frame);
  // Of data that `receiver` receives.
  Credit& CreditOf(const End& receiver);
  void OnStreamBytes(const End& receiver, StreamId stream, uint64_t end);
  void Report(const std::string& what);

  const SecretBook& book_;
  EventQueue& queue_;
  SimTrace& trace_;
  FrameHook hook_;
  std::map<SimNetwork::NodeId, End> ends_;
  std::vector<std::unique_ptr<Keys>> keys_;
  size_t secrets_read_ = 0;
  std::set<std::vector<uint8_t>> initial_dcids_;
  std::map<Perspective, Credit> credits_;
  // Of clients. With more than one, credit and acknowledgments are not checked.
  size_t session_count_ = 0;
  std::set<uint64_t> path_responses_;
  uint64_t unreadable_packets_ = 0;
  std::string problem_;
};

}  // namespace godwit

#endif  // GODWIT_TESTS_SIM_WIRE_OBSERVER_H_
