// SPDX-License-Identifier: Apache-2.0
//
// Version Negotiation packets that a client receives: true ones, forged ones, late ones.
// RFC 9000 §6.2.
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "gtest/gtest.h"

#include "tests/sim/endpoint_pair.h"
#include "transport/wire/byte_writer.h"
#include "transport/wire/invariant_header.h"
#include "transport/wire/stateless_packets.h"
#include "transport/wire/version.h"

namespace godwit {
namespace {

constexpr uint32_t kFutureVersion = 0x0fedcba9;
constexpr uint32_t kSeenVersion = 0x7a7a7a7a;  // To be left out of every list.

// The connection ids of a client's first Initial packet, as the one who would answer sees them.
struct ClientIds {
  std::vector<uint8_t> dcid;
  std::vector<uint8_t> scid;
};

class VersionScene {
 public:
  explicit VersionScene(PairConfig config = {}) : pair_(WithWork(std::move(config))) {
    // Keeps the first packet for itself, and what follows as long as it is told to.
    pair_.up().SetDropFilter([this](const SimPacket& packet) {
      if (!ids_.has_value()) Learn(packet);
      return is_server_cut_off_;
    });
  }

  EndpointPair& pair() { return pair_; }
  const ClientIds& ids() const { return *ids_; }
  void CutServerOff() { is_server_cut_off_ = true; }
  void LetThrough() { is_server_cut_off_ = false; }

  // To the client, as if from its server: a Version Negotiation packet.
  void Negotiate(const ClientIds& ids, std::span<const uint32_t> versions) {
    std::array<uint8_t, 256> buffer;
    ByteWriter writer(buffer);
    WriteVersionNegotiation({.received_dcid = ids.dcid,
                             .received_scid = ids.scid,
                             .received_version = kSeenVersion,
                             .supported_versions = versions,
                             .random_bits = 0},
                            writer);
    Deliver(writer.written());
  }

  void Deliver(std::span<uint8_t> bytes) {
    const ReceivedDatagram datagram = {.payload = bytes,
                                       .four_tuple = {.local = pair_.client().config().address,
                                                      .peer = pair_.server().config().address},
                                       .ecn = EcnMark::kNotEct,
                                       .received_at = pair_.client().now()};
    pair_.client().Do([&](Endpoint& endpoint) {
      endpoint.OnDatagrams({&datagram, 1}, pair_.client().now());
    });
  }

 private:
  static PairConfig WithWork(PairConfig config) {
    config.client.app.streams = {{.bytes = 10'000}};
    return config;
  }

  void Learn(const SimPacket& packet) {
    std::vector<uint8_t> bytes = packet.payload;
    InvariantHeader header;
    ASSERT_TRUE(ParseInvariantHeader(bytes, 0, &header));
    ids_ = ClientIds{.dcid = {header.dcid.begin(), header.dcid.end()},
                     .scid = {header.scid.begin(), header.scid.end()}};
  }

  EndpointPair pair_;
  std::optional<ClientIds> ids_;
  bool is_server_cut_off_ = false;
};

TEST(VersionSimTest, AClientWithoutACommonVersionEndsAtOnceAndInSilence) {
  for (const size_t id_bytes : {size_t{8}, size_t{0}}) {
    PairConfig config;
    config.client.connection_id_bytes = id_bytes;
    VersionScene scene(config);
    scene.CutServerOff();
    scene.pair().Connect();
    ASSERT_TRUE(scene.pair().simulation().RunFor(Duration::Milliseconds(20)));
    const size_t sent_before = scene.pair().simulation().trace().CountOf("send");

    scene.Negotiate(scene.ids(), std::array{kFutureVersion, MakeReservedVersionOtherThan(0, 0)});
    ASSERT_TRUE(scene.pair().simulation().RunFor(Duration::Seconds(5)));

    const std::optional<CloseReason>& reason = scene.pair().client_record().close_reason;
    ASSERT_TRUE(reason.has_value());
    EXPECT_EQ(reason->cause, CloseReason::Cause::kVersionNegotiation);
    EXPECT_EQ(scene.pair().client().endpoint().connection_count(), 0u);
    EXPECT_EQ(scene.pair().simulation().trace().CountOf("send"), sent_before);
  }
}

TEST(VersionSimTest, OneThatListsOurVersionIsIgnored) {
  VersionScene scene;
  scene.CutServerOff();
  scene.pair().Connect();
  ASSERT_TRUE(scene.pair().simulation().RunFor(Duration::Milliseconds(20)));

  scene.Negotiate(scene.ids(), std::array{kFutureVersion, kVersion1});
  scene.LetThrough();

  // The first probe timeout, and the work.
  EXPECT_TRUE(scene.pair().simulation().RunUntil(
      [&] { return scene.pair().simulation().IsSettled(); }, Duration::Milliseconds(1'300)));
  EXPECT_TRUE(scene.pair().Close());
}

TEST(VersionSimTest, OneOfSomebodyWhoHasNotSeenTheFirstPacketIsIgnored) {
  VersionScene scene;
  scene.CutServerOff();
  scene.pair().Connect();
  ASSERT_TRUE(scene.pair().simulation().RunFor(Duration::Milliseconds(20)));
  ClientIds guessed = scene.ids();
  guessed.dcid.back() ^= 1;
  ClientIds shortened = scene.ids();
  shortened.dcid.pop_back();
  ClientIds none = scene.ids();
  none.dcid.clear();

  for (const ClientIds& ids : {guessed, shortened, none}) {
    scene.Negotiate(ids, std::array{kFutureVersion});
  }
  scene.LetThrough();

  EXPECT_TRUE(scene.pair().simulation().RunUntil(
      [&] { return scene.pair().simulation().IsSettled(); }, Duration::Milliseconds(1'300)));
  EXPECT_TRUE(scene.pair().Close());
}

TEST(VersionSimTest, OneThatIsCutOffIsIgnored) {
  VersionScene scene;
  scene.CutServerOff();
  scene.pair().Connect();
  ASSERT_TRUE(scene.pair().simulation().RunFor(Duration::Milliseconds(20)));
  std::array<uint8_t, 64> buffer;
  ByteWriter writer(buffer);
  WriteVersionNegotiation({.received_dcid = scene.ids().dcid,
                           .received_scid = scene.ids().scid,
                           .received_version = kSeenVersion,
                           .supported_versions = std::array{kFutureVersion},
                           .random_bits = 0},
                          writer);

  for (size_t size = 1; size < writer.position(); ++size) {
    std::vector<uint8_t> packet(buffer.begin(), buffer.begin() + static_cast<ptrdiff_t>(size));
    scene.Deliver(packet);
  }
  scene.LetThrough();

  EXPECT_TRUE(scene.pair().simulation().RunUntil(
      [&] { return scene.pair().simulation().IsSettled(); }, Duration::Milliseconds(1'300)));
  EXPECT_TRUE(scene.pair().Close());
}

// After any packet of the server, at each moment of a connection.
TEST(VersionSimTest, OneThatComesAfterAnotherPacketIsIgnored) {
  for (const int64_t at_ms : {25, 35, 45, 60}) {
    VersionScene scene;
    scene.pair().After(Duration::Milliseconds(at_ms),
                       [&] { scene.Negotiate(scene.ids(), std::array{kFutureVersion}); });

    EXPECT_TRUE(scene.pair().Run(Duration::Seconds(1))) << at_ms << " ms";
  }
}

}  // namespace
}  // namespace godwit
