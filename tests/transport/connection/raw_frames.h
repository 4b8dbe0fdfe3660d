// SPDX-License-Identifier: Apache-2.0
//
// Frames as bytes, whatever they say: unlike frame_encoder.h nothing is checked, so that a test can
// write what no honest peer would. RFC 9000 §19, RFC 9221 §4.
#ifndef GODWIT_TESTS_TRANSPORT_CONNECTION_RAW_FRAMES_H_
#define GODWIT_TESTS_TRANSPORT_CONNECTION_RAW_FRAMES_H_

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "godwit/connection_id.h"

namespace godwit::raw {

using Bytes = std::vector<uint8_t>;

inline void Append(Bytes& to, std::span<const uint8_t> bytes) {
  to.insert(to.end(), bytes.begin(), bytes.end());
}

// RFC 9000 §16, in `size` bytes of 1, 2, 4 or 8.
inline Bytes VarintOfSize(uint64_t value, size_t size) {
  const unsigned prefix = size == 1 ? 0 : size == 2 ? 1 : size == 4 ? 2 : 3;
  Bytes bytes(size);
  for (size_t i = size; i-- > 0; value >>= 8) bytes[i] = static_cast<uint8_t>(value);
  bytes[0] = static_cast<uint8_t>(bytes[0] | prefix << 6);
  return bytes;
}

inline Bytes Varint(uint64_t value) {
  const size_t size = value < 64 ? 1 : value < 16384 ? 2 : value < (uint64_t{1} << 30) ? 4 : 8;
  return VarintOfSize(value, size);
}

inline Bytes Varints(std::initializer_list<uint64_t> values) {
  Bytes bytes;
  for (const uint64_t value : values) Append(bytes, Varint(value));
  return bytes;
}

// Anything one after the other.
template <typename... Parts>
Bytes Join(const Parts&... parts) {
  Bytes bytes;
  (Append(bytes, parts), ...);
  return bytes;
}

inline Bytes Padding(size_t count) { return Bytes(count, 0); }
inline Bytes Ping() { return {0x01}; }

// First the largest: {largest, smallest}.
using NumberRanges = std::vector<std::pair<uint64_t, uint64_t>>;

inline Bytes Ack(const NumberRanges& ranges, uint64_t encoded_delay = 0) {
  Bytes bytes = Varints({0x02, ranges.front().first, encoded_delay, ranges.size() - 1,
                         ranges.front().first - ranges.front().second});
  for (size_t i = 1; i < ranges.size(); ++i) {
    Append(bytes, Varints({ranges[i - 1].second - ranges[i].first - 2,
                           ranges[i].first - ranges[i].second}));
  }
  return bytes;
}
inline Bytes Ack(uint64_t largest, uint64_t smallest = 0) { return Ack({{largest, smallest}}); }

inline Bytes ResetStream(uint64_t id, uint64_t error, uint64_t final_size) {
  return Varints({0x04, id, error, final_size});
}
inline Bytes StopSending(uint64_t id, uint64_t error) { return Varints({0x05, id, error}); }

inline Bytes Crypto(uint64_t offset, std::span<const uint8_t> data) {
  return Join(Varints({0x06, offset, data.size()}), data);
}

inline Bytes NewToken(std::span<const uint8_t> token) {
  return Join(Varints({0x07, token.size()}), token);
}

inline Bytes Stream(uint64_t id, uint64_t offset, std::span<const uint8_t> data, bool fin = false) {
  return Join(Varints({fin ? uint64_t{0x0f} : uint64_t{0x0e}, id, offset, data.size()}), data);
}

inline Bytes MaxData(uint64_t maximum) { return Varints({0x10, maximum}); }
inline Bytes MaxStreamData(uint64_t id, uint64_t maximum) { return Varints({0x11, id, maximum}); }
inline Bytes MaxStreamsBidi(uint64_t maximum) { return Varints({0x12, maximum}); }
inline Bytes MaxStreamsUni(uint64_t maximum) { return Varints({0x13, maximum}); }
inline Bytes DataBlocked(uint64_t limit) { return Varints({0x14, limit}); }
inline Bytes StreamDataBlocked(uint64_t id, uint64_t limit) { return Varints({0x15, id, limit}); }
inline Bytes StreamsBlockedBidi(uint64_t limit) { return Varints({0x16, limit}); }
inline Bytes StreamsBlockedUni(uint64_t limit) { return Varints({0x17, limit}); }

struct NewConnectionIdFields {
  uint64_t sequence_number;
  uint64_t retire_prior_to = 0;
  Bytes id = {};
  Bytes token = Bytes(StatelessResetToken::kSize);
};
inline Bytes NewConnectionId(const NewConnectionIdFields& fields) {
  return Join(Varints({0x18, fields.sequence_number, fields.retire_prior_to}),
              Bytes{static_cast<uint8_t>(fields.id.size())}, fields.id, fields.token);
}
// With an id and a token that follow from `seed`.
inline Bytes NewConnectionId(uint64_t sequence_number, uint64_t retire_prior_to, uint8_t seed) {
  Bytes id(8, seed);
  id[0] = 0xc1;
  Bytes token(StatelessResetToken::kSize, seed);
  token[0] = 0x70;
  return NewConnectionId({.sequence_number = sequence_number,
                          .retire_prior_to = retire_prior_to,
                          .id = id,
                          .token = token});
}

inline Bytes RetireConnectionId(uint64_t sequence_number) {
  return Varints({0x19, sequence_number});
}

inline Bytes PathChallenge(uint8_t seed) { return Join(Bytes{0x1a}, Bytes(8, seed)); }
inline Bytes PathResponse(std::span<const uint8_t> data) { return Join(Bytes{0x1b}, data); }

inline Bytes ConnectionClose(uint64_t error, uint64_t frame_type, std::string_view reason) {
  return Join(Varints({0x1c, error, frame_type, reason.size()}),
              Bytes(reason.begin(), reason.end()));
}
inline Bytes ApplicationClose(uint64_t error, std::string_view reason) {
  return Join(Varints({0x1d, error, reason.size()}), Bytes(reason.begin(), reason.end()));
}

inline Bytes HandshakeDone() { return {0x1e}; }
inline Bytes ImmediateAck() { return {0x1f}; }
inline Bytes AckFrequency() { return Varints({0xaf, 0, 10, 25'000, 1}); }

inline Bytes Datagram(std::span<const uint8_t> data) {
  return Join(Varints({0x31, data.size()}), data);
}

}  // namespace godwit::raw

#endif  // GODWIT_TESTS_TRANSPORT_CONNECTION_RAW_FRAMES_H_
