// SPDX-License-Identifier: Apache-2.0
//
// LocalCids of one side and PeerCids of the other, over a link that loses, repeats and reorders
// their frames, while paths come and go and ids are exchanged: no rule is ever broken, no id serves
// two paths, and in the end both sides agree.

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <vector>

#include "gtest/gtest.h"

#include "base/limits.h"
#include "base/packet_number.h"
#include "base/path_id.h"
#include "base/result.h"
#include "base/seeded_random.h"
#include "godwit/connection_id.h"
#include "godwit/time.h"
#include "tests/transport/path/written_frames.h"
#include "transport/delivery/sent_frame.h"
#include "transport/path/local_cids.h"
#include "transport/path/peer_cids.h"
#include "transport/wire/frame.h"

namespace godwit {
namespace {

constexpr Duration kPto = Duration::Milliseconds(100);

class Link {
 public:
  explicit Link(uint64_t seed) : random_(seed), local_(NextId(), NextToken()), peer_(IdOf(0)) {
    local_.OnPeerParameters(kActiveConnectionIdLimit);
  }

  void Step(bool is_calm) {
    now_ += Duration::Milliseconds(10);
    while (local_.wanted_count() > 0) {
      const ConnectionId id = NextId();
      local_.Add(id, NextToken());
    }
    Send(is_calm);
    Deliver(is_calm);
    if (!is_calm) ChangePaths();
    while (local_.PollRetired(now_).has_value()) {
    }
    Check();
  }

  const LocalCids& local() const { return local_; }
  const PeerCids& peer() const { return peer_; }
  bool is_quiet() const { return in_flight_.empty(); }

 private:
  struct Packet {
    uint64_t number;
    ConnectionId dcid;
    std::vector<NewConnectionIdFrame> issued;
    std::vector<RetireConnectionIdFrame> retired;
  };

  static ConnectionId IdOf(uint64_t number) {
    std::array<uint8_t, 8> bytes;
    for (size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<uint8_t>(number >> (8 * i));
    return *ConnectionId::FromBytes(bytes);
  }
  ConnectionId NextId() { return IdOf(next_id_++); }
  StatelessResetToken NextToken() {
    std::array<uint8_t, StatelessResetToken::kSize> bytes;
    random_.Fill(bytes);
    return StatelessResetToken(bytes);
  }

  void Send(bool is_calm) {
    Packet packet{next_packet_number_++, peer_.current(), {}, {}};
    // Small packets, so that frames of one decision part.
    packet.issued = WriteInPacket<NewConnectionIdFrame>(local_, packet.number, {.bytes = 90});
    packet.retired = WriteInPacket<RetireConnectionIdFrame>(peer_, packet.number, {.bytes = 4});
    if (packet.issued.empty() && packet.retired.empty()) return;
    in_flight_.push_back(packet);
    if (!is_calm && random_.UniformBelow(10) == 0) in_flight_.push_back(packet);
  }

  void Deliver(bool is_calm) {
    while (!in_flight_.empty() && (is_calm || random_.UniformBelow(3) != 0)) {
      const size_t index = is_calm ? 0 : random_.UniformBelow(in_flight_.size());
      const Packet packet = in_flight_[index];
      in_flight_.erase(in_flight_.begin() + static_cast<ptrdiff_t>(index));
      if (!is_calm && random_.UniformBelow(3) == 0) {
        ReportFate(packet, /*is_acked=*/false);
        // Perhaps the loss was assumed too early.
        if (random_.UniformBelow(4) == 0) in_flight_.push_back(packet);
        continue;
      }
      for (const NewConnectionIdFrame& frame : packet.issued) {
        const Result result = peer_.OnNewConnectionIdFrame(frame);
        ASSERT_TRUE(result.ok()) << result.error().reason;
      }
      for (const RetireConnectionIdFrame& frame : packet.retired) {
        // The other direction has ids of its own; here only that of the packet matters.
        const Result result =
            local_.OnRetireConnectionIdFrame(frame, packet.dcid.bytes(), now_, kPto);
        ASSERT_TRUE(result.ok()) << result.error().reason;
      }
      ReportFate(packet, /*is_acked=*/true);
    }
  }

  void ReportFate(const Packet& packet, bool is_acked) {
    const PacketNumber number(packet.number);
    for (const NewConnectionIdFrame& frame : packet.issued) {
      const SentFrame sent = SentFrame::NewConnectionId(frame.sequence_number);
      is_acked ? local_.OnFrameAcked(number, sent) : local_.OnFrameLost(number, sent);
    }
    for (const RetireConnectionIdFrame& frame : packet.retired) {
      const SentFrame sent = SentFrame::RetireConnectionId(frame.sequence_number);
      is_acked ? peer_.OnFrameAcked(number, sent) : peer_.OnFrameLost(number, sent);
    }
  }

  void ChangePaths() {
    switch (random_.UniformBelow(12)) {
      case 0:
        peer_.Rotate();
        return;
      case 1:
        local_.RotateAll();
        return;
      case 2:
        if (paths_.size() < 4 && peer_.AssignTo(next_path_)) {
          paths_.push_back(next_path_);
          next_path_ = next_path_.next();
        }
        return;
      case 3: {
        const PathId path = paths_[random_.UniformBelow(paths_.size())];
        if (!peer_.AssignTo(path)) return;
        peer_.SetActivePath(path);
        active_ = path;
        return;
      }
      case 4: {
        const size_t index = random_.UniformBelow(paths_.size());
        if (paths_[index] == active_) return;
        peer_.Release(paths_[index]);
        paths_.erase(paths_.begin() + static_cast<ptrdiff_t>(index));
        return;
      }
      default:
        return;
    }
  }

  void Check() {
    local_.CheckInvariants();
    peer_.CheckInvariants();
    for (const PathId path : paths_) {
      if (!peer_.HasFor(path)) continue;
      // RFC 9000 §9.5.
      const auto [user, is_new] = users_.emplace(peer_.For(path), path);
      EXPECT_TRUE(is_new || user->second == path) << "an id that served two paths";
    }
    // What is used must still be routed.
    bool is_routed = false;
    for (size_t i = 0; i < local_.routed_count(); ++i) {
      is_routed |= local_.routed(i) == peer_.current();
    }
    EXPECT_TRUE(is_routed);
  }

  SeededRandom random_;
  uint64_t next_id_ = 0;
  LocalCids local_;
  PeerCids peer_;
  Timestamp now_ = Timestamp::FromNanoseconds(1'000'000'000);
  uint64_t next_packet_number_ = 0;
  std::vector<Packet> in_flight_;
  std::vector<PathId> paths_ = {PathId(0)};
  PathId active_ = PathId(0);
  PathId next_path_ = PathId(1);
  std::map<ConnectionId, PathId> users_;
};

TEST(CidsModelTest, NoRuleIsBrokenAndBothSidesAgreeInTheEnd) {
  for (uint64_t seed = 1; seed <= 100; ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    Link link(seed);
    for (int i = 0; i < 500; ++i) {
      link.Step(/*is_calm=*/false);
      if (testing::Test::HasFailure()) return;
    }

    for (int i = 0; i < 300; ++i) link.Step(/*is_calm=*/true);

    EXPECT_TRUE(link.is_quiet());
    EXPECT_EQ(link.peer().retirement_count(), 0u);
    EXPECT_EQ(link.local().active_count(), kActiveConnectionIdLimit);
    EXPECT_EQ(link.local().routed_count(), kActiveConnectionIdLimit);
    if (testing::Test::HasFailure()) return;
  }
}

}  // namespace
}  // namespace godwit
