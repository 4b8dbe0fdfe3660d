// SPDX-License-Identifier: Apache-2.0
//
// What tests of paths begin with: addresses, a path as it is when nothing has happened on it,
// trains that leave and are acknowledged.
#ifndef GODWIT_TESTS_TRANSPORT_PATH_PATH_FIXTURE_H_
#define GODWIT_TESTS_TRANSPORT_PATH_PATH_FIXTURE_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "base/path_id.h"
#include "congestion/builtin_controllers.h"
#include "godwit/congestion_controller.h"
#include "godwit/four_tuple.h"
#include "godwit/socket_address.h"
#include "godwit/time.h"
#include "transport/path/path.h"

namespace godwit {

inline constexpr uint64_t kPacketBytes = 1'200;
inline constexpr uint64_t kInitialWindow = 10 * kPacketBytes;
inline constexpr Timestamp kStart = Timestamp::FromNanoseconds(1'000'000'000);
inline constexpr Duration kRtt = Duration::Milliseconds(40);

// `peer` as seen from `local`.
inline FourTuple TupleFrom(std::string_view peer, std::string_view local = "198.51.100.1:443") {
  return {.local = *SocketAddress::Parse(local), .peer = *SocketAddress::Parse(peer)};
}

// One of godwit's own.
inline const CongestionControllerFactory* Factory(std::string_view name) {
  return FindCongestionControllerFactory(CongestionControllerRegistry(), name);
}

inline Path::Params ValidatedParams() {
  return {.id = PathId(1),
          .four_tuple = TupleFrom("192.0.2.1:1000"),
          .factory = Factory(kCubic),
          .is_validated = true,
          .now = kStart};
}

inline Path::Params UnvalidatedParams() {
  Path::Params params = ValidatedParams();
  params.is_validated = false;
  return params;
}

inline Path::Params ParamsWith(const CongestionControllerFactory& factory) {
  Path::Params params = ValidatedParams();
  params.factory = &factory;
  return params;
}

// A train of packets leaves; none waits for its budget.
inline std::vector<TransmittedPacket> Send(Path& path, size_t count, Timestamp now,
                                           uint64_t first_number = 0) {
  std::vector<TransmittedPacket> packets;
  for (size_t i = 0; i < count; ++i) {
    packets.push_back(path.OnPacketSent(first_number + i, kPacketBytes, now));
  }
  path.OnTrainSent(now, count * kPacketBytes);
  path.CheckInvariants();
  return packets;
}

inline void Acknowledge(Path& path, std::span<const TransmittedPacket> packets, Timestamp now) {
  path.rtt().OnMeasurement({.rtt = now - packets.back().sent_time});
  path.OnFates({.now = now, .acked = packets, .has_rtt_sample = true});
  path.CheckInvariants();
}

}  // namespace godwit

#endif  // GODWIT_TESTS_TRANSPORT_PATH_PATH_FIXTURE_H_
