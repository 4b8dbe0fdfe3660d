// SPDX-License-Identifier: Apache-2.0
#include "transport/endpoint/endpoint_config.h"

#include <initializer_list>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

#include "base/limits.h"
#include "congestion/builtin_controllers.h"
#include "godwit/time.h"

namespace godwit {
namespace {

// Some 10^15 bytes: more than any machine has, and far from where sums overflow.
constexpr uint64_t kMaxBufferBytes = uint64_t{1} << 50;

// Times are sums of these and of the peer's; nobody waits longer.
constexpr Duration kMaxDuration = Duration::Seconds(86'400);

constexpr uint64_t kMaxPerSecond = 1'000'000;

struct Count {
  absl::string_view name;
  uint64_t value;
  uint64_t least;
  uint64_t most;
};

struct Span {
  absl::string_view name;
  Duration value;
  Duration least;
  Duration most;
};

std::string ToText(Duration duration) {
  if (duration.is_infinite()) return duration > Duration::Zero() ? "infinite" : "-infinite";
  const bool is_whole = duration == Duration::Microseconds(duration.ToMicroseconds());
  return is_whole ? absl::StrCat(duration.ToMicroseconds(), " us")
                  : absl::StrCat(duration.ToNanoseconds(), " ns");
}

template <typename Value, typename Bound>
absl::Status OutOfRange(absl::string_view name, const Value& value, const Bound& least,
                        const Bound& most) {
  return absl::InvalidArgumentError(
      absl::StrCat(name, " is ", value, "; allowed: ", least, " to ", most));
}

absl::Status CheckCounts(std::initializer_list<Count> counts) {
  for (const Count& count : counts) {
    if (count.value < count.least || count.value > count.most) {
      return OutOfRange(count.name, count.value, count.least, count.most);
    }
  }
  return absl::OkStatus();
}

absl::Status CheckSpans(std::initializer_list<Span> spans) {
  for (const Span& span : spans) {
    if (span.value < span.least || span.value > span.most) {
      return OutOfRange(span.name, ToText(span.value), ToText(span.least), ToText(span.most));
    }
  }
  return absl::OkStatus();
}

absl::Status ValidateStreams(const StreamConfig& streams) {
  // RFC 9000 §4.1: a stream's window beyond the connection's would only promise what is not there.
  const uint64_t connection_window = streams.max_connection_window_bytes;
  const uint64_t stream_window = streams.max_stream_window_bytes;
  return CheckCounts({
      {"connection.streams.max_connection_window_bytes", connection_window, 1, kMaxBufferBytes},
      {"connection.streams.max_stream_window_bytes", stream_window, 1, connection_window},
      {"connection.streams.initial_max_data", streams.initial_max_data, 0, connection_window},
      {"connection.streams.initial_max_stream_data_bidi_local",
       streams.initial_max_stream_data_bidi_local, 0, stream_window},
      {"connection.streams.initial_max_stream_data_bidi_remote",
       streams.initial_max_stream_data_bidi_remote, 0, stream_window},
      {"connection.streams.initial_max_stream_data_uni", streams.initial_max_stream_data_uni, 0,
       stream_window},
      {"connection.streams.max_streams_bidi", streams.max_streams_bidi, 0, kMaxStreams},
      {"connection.streams.max_streams_uni", streams.max_streams_uni, 0, kMaxStreams},
      {"connection.streams.max_send_buffer_bytes", streams.max_send_buffer_bytes, 1,
       kMaxBufferBytes},
  });
}

absl::Status ValidateSizes(const ConnectionConfig& connection) {
  return CheckCounts({
      {"connection.datagrams.max_send_bytes", connection.datagrams.max_send_bytes, 0,
       kMaxBufferBytes},
      {"connection.datagrams.max_recv_bytes", connection.datagrams.max_recv_bytes, 0,
       kMaxBufferBytes},
      {"connection.max_datagram_frame_size", connection.max_datagram_frame_size, 0, 65'535},
      // RFC 9000 §14. A datagram is sent from the buffer that holds a train.
      {"connection.mtu.max_mtu", connection.mtu.max_mtu, kMinInitialDatagramBytes, kMaxGsoBytes},
      {"connection.mtu.min_mtu", connection.mtu.min_mtu, kMinInitialDatagramBytes,
       connection.mtu.max_mtu},
  });
}

absl::Status ValidateTimes(const ConnectionConfig& connection) {
  constexpr Duration kLeast = Duration::Microseconds(1);
  const IdleConfig& idle = connection.idle;
  absl::Status status = CheckSpans({
      {"connection.handshake_timeout", connection.handshake_timeout, kLeast, kMaxDuration},
      {"connection.pto_ceiling", connection.pto_ceiling, kLeast, kMaxDuration},
      {"connection.max_ack_delay", connection.max_ack_delay, Duration::Zero(),
       Duration::Milliseconds(kMaxAckDelayMs)},
      {"connection.initial_rtt", connection.initial_rtt, kLeast, kMaxDuration},
      {"connection.idle.keep_alive_interval", idle.keep_alive_interval, Duration::Zero(),
       kMaxDuration},
  });
  if (!status.ok() || idle.max_idle_timeout == Duration::Infinite()) return status;
  return CheckSpans({{"connection.idle.max_idle_timeout", idle.max_idle_timeout, Duration::Zero(),
                      kMaxDuration}});
}

absl::Status ValidateController(const EndpointConfig& config) {
  if (FindCongestionControllerFactory(config.congestion_controllers,
                                      config.congestion_controller) == nullptr) {
    return absl::InvalidArgumentError(
        absl::StrCat("congestion_controller is \"", config.congestion_controller, "\"; allowed: \"",
                     absl::string_view(kCubic.data(), kCubic.size()), "\", \"",
                     absl::string_view(kNewReno.data(), kNewReno.size()),
                     "\" and the names that were registered in congestion_controllers"));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status ValidateEndpointConfig(const EndpointConfig& config) {
  absl::Status status = CheckCounts({
      {"max_connections", config.max_connections, 1, kMaxConnections},
      {"max_half_open", config.max_half_open, 1, kMaxConnections},
      {"max_accepts_per_second_per_source", config.max_accepts_per_second_per_source, 1,
       kMaxPerSecond},
      {"memory_budget_bytes", config.memory_budget_bytes, uint64_t{1} << 20, kMaxBufferBytes},
      {"stateless_replies_per_second", config.stateless_replies_per_second, 0, kMaxPerSecond},
  });
  if (status.ok()) status = ValidateController(config);
  if (status.ok()) status = ValidateStreams(config.connection.streams);
  if (status.ok()) status = ValidateSizes(config.connection);
  if (status.ok()) status = ValidateTimes(config.connection);
  return status;
}

}  // namespace godwit
