// SPDX-License-Identifier: Apache-2.0
#include "tests/transport/wire/random_transport_parameters.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "base/limits.h"

namespace godwit {
namespace {

bool Coin(Random& random) { return random.UniformBelow(2) == 0; }

// Of all magnitudes, the ends of the range among them.
uint64_t NumberBetween(uint64_t least, uint64_t greatest, Random& random) {
  const uint64_t number = random.NextUint64() >> random.UniformBelow(64);
  return std::clamp(number, least, greatest);
}

ConnectionId RandomConnectionId(size_t least_size, Random& random) {
  std::array<uint8_t, ConnectionId::kMaxSize> bytes;
  random.Fill(bytes);
  const size_t size = least_size + random.UniformBelow(ConnectionId::kMaxSize + 1 - least_size);
  return ConnectionId::FromBytes(std::span(bytes).first(size)).value();
}

StatelessResetToken RandomToken(Random& random) {
  std::array<uint8_t, StatelessResetToken::kSize> bytes;
  random.Fill(bytes);
  return StatelessResetToken(bytes);
}

uint16_t RandomPort(Random& random) {
  return static_cast<uint16_t>(1 + random.UniformBelow(UINT16_MAX));
}

PreferredAddress RandomPreferredAddress(Random& random) {
  PreferredAddress preferred;
  std::array<uint8_t, SocketAddress::kIpv6Size> ip;
  random.Fill(ip);
  if (Coin(random)) {
    preferred.ipv4 = SocketAddress::FromIpv4(std::span(ip).first<SocketAddress::kIpv4Size>(),
                                             RandomPort(random));
  }
  if (Coin(random)) preferred.ipv6 = SocketAddress::FromIpv6(ip, RandomPort(random));
  preferred.connection_id = RandomConnectionId(1, random);
  preferred.stateless_reset_token = RandomToken(random);
  return preferred;
}

VersionInformation RandomVersionInformation(Random& random) {
  VersionInformation information;
  information.chosen_version = static_cast<uint32_t>(1 + random.UniformBelow(UINT32_MAX));
  const uint64_t others = random.UniformBelow(10);
  for (uint64_t i = 0; i < others; ++i) {
    information.available_versions.push_back(
        static_cast<uint32_t>(1 + random.UniformBelow(UINT32_MAX)));
  }
  information.available_versions.push_back(information.chosen_version);
  return information;
}

void AddRandomServerParameters(TransportParameters& parameters, Random& random) {
  if (Coin(random)) parameters.original_destination_connection_id = RandomConnectionId(0, random);
  if (Coin(random)) parameters.retry_source_connection_id = RandomConnectionId(0, random);
  if (Coin(random)) parameters.stateless_reset_token = RandomToken(random);
  const auto& source = parameters.initial_source_connection_id;
  if (Coin(random) && !(source && source->empty())) {
    parameters.preferred_address = RandomPreferredAddress(random);
  }
}

}  // namespace

TransportParameters RandomTransportParameters(Perspective sender, Random& random) {
  using T = TransportParameters;
  struct Range {
    uint64_t T::*field;
    uint64_t least;
    uint64_t greatest;
  };
  constexpr Range kRanges[] = {
      {&T::max_udp_payload_size, 1200, kMaxVarint},
      {&T::initial_max_data, 0, kMaxVarint},
      {&T::initial_max_stream_data_bidi_local, 0, kMaxVarint},
      {&T::initial_max_stream_data_bidi_remote, 0, kMaxVarint},
      {&T::initial_max_stream_data_uni, 0, kMaxVarint},
      {&T::initial_max_streams_bidi, 0, kMaxStreams},
      {&T::initial_max_streams_uni, 0, kMaxStreams},
      {&T::ack_delay_exponent, 0, 20},
      {&T::active_connection_id_limit, 2, kMaxVarint},
      {&T::max_datagram_frame_size, 0, kMaxVarint},
  };
  T parameters;
  for (const Range& range : kRanges) {
    if (Coin(random)) {
      parameters.*range.field = NumberBetween(range.least, range.greatest, random);
    }
  }
  // The multiplication makes the greatest ones infinite.
  if (Coin(random)) {
    parameters.max_idle_timeout =
        Duration::Milliseconds(static_cast<int64_t>(NumberBetween(0, kMaxVarint, random)));
  }
  if (Coin(random)) {
    parameters.max_ack_delay =
        Duration::Milliseconds(static_cast<int64_t>(random.UniformBelow(16384)));
  }
  if (Coin(random)) {
    parameters.min_ack_delay = Duration::Microseconds(
        static_cast<int64_t>(random.UniformBelow(parameters.max_ack_delay.ToMicroseconds() + 1)));
  }
  parameters.disable_active_migration = Coin(random);
  parameters.grease_quic_bit = Coin(random);
  if (Coin(random)) parameters.initial_source_connection_id = RandomConnectionId(0, random);
  if (Coin(random)) parameters.version_information = RandomVersionInformation(random);
  if (sender == Perspective::kServer) AddRandomServerParameters(parameters, random);
  return parameters;
}

}  // namespace godwit
