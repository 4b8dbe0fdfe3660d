// SPDX-License-Identifier: Apache-2.0
#include "transport/wire/transport_parameters.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/check.h"
#include "base/protocol_errors.h"
#include "transport/wire/byte_reader.h"
#include "transport/wire/varint.h"

namespace godwit {
namespace {

enum class Id : uint64_t {
  kOriginalDestinationConnectionId = 0x00,
  kMaxIdleTimeout = 0x01,
  kStatelessResetToken = 0x02,
  kMaxUdpPayloadSize = 0x03,
  kInitialMaxData = 0x04,
  kInitialMaxStreamDataBidiLocal = 0x05,
  kInitialMaxStreamDataBidiRemote = 0x06,
  kInitialMaxStreamDataUni = 0x07,
  kInitialMaxStreamsBidi = 0x08,
  kInitialMaxStreamsUni = 0x09,
  kAckDelayExponent = 0x0a,
  kMaxAckDelay = 0x0b,
  kDisableActiveMigration = 0x0c,
  kPreferredAddress = 0x0d,
  kActiveConnectionIdLimit = 0x0e,
  kInitialSourceConnectionId = 0x0f,
  kRetrySourceConnectionId = 0x10,
  kVersionInformation = 0x11,
  kMaxDatagramFrameSize = 0x20,
  kGreaseQuicBit = 0x2ab2,
  kMinAckDelay = 0xff04de1b,
};

constexpr size_t kIdCount = 21;

// The parameters that are plain numbers, with the range that they must be in.
struct NumberParameter {
  Id id;
  uint64_t TransportParameters::*field;
  uint64_t least = 0;
  uint64_t greatest = kMaxVarint;
  const ProtocolError* error = nullptr;  // Null if no varint is out of range.
};

using T = TransportParameters;
constexpr NumberParameter kNumberParameters[] = {
    {Id::kMaxUdpPayloadSize, &T::max_udp_payload_size, kMinInitialDatagramBytes, kMaxVarint,
     &kMaxUdpPayloadSizeTooSmall},
    {Id::kInitialMaxData, &T::initial_max_data},
    {Id::kInitialMaxStreamDataBidiLocal, &T::initial_max_stream_data_bidi_local},
    {Id::kInitialMaxStreamDataBidiRemote, &T::initial_max_stream_data_bidi_remote},
    {Id::kInitialMaxStreamDataUni, &T::initial_max_stream_data_uni},
    {Id::kInitialMaxStreamsBidi, &T::initial_max_streams_bidi, 0, kMaxStreams,
     &kInitialMaxStreamsBidiTooLarge},
    {Id::kInitialMaxStreamsUni, &T::initial_max_streams_uni, 0, kMaxStreams,
     &kInitialMaxStreamsUniTooLarge},
    {Id::kAckDelayExponent, &T::ack_delay_exponent, 0, kMaxAckDelayExponent,
     &kAckDelayExponentTooLarge},
    {Id::kActiveConnectionIdLimit, &T::active_connection_id_limit, kMinActiveConnectionIdLimit,
     kMaxVarint, &kActiveConnectionIdLimitTooSmall},
    {Id::kMaxDatagramFrameSize, &T::max_datagram_frame_size},
};

constexpr size_t kVersionSize = sizeof(uint32_t);

// ---- Rules ----

Result CheckServerOnly(const TransportParameters& parameters, Perspective sender) {
  // RFC 9000 §18.2: a client must not send these four.
  if (sender == Perspective::kClient &&
      (parameters.original_destination_connection_id || parameters.retry_source_connection_id ||
       parameters.stateless_reset_token || parameters.preferred_address)) {
    return kServerParameterFromClient;
  }
  return Result::Ok();
}

Result CheckPreferredAddress(const TransportParameters& parameters) {
  if (!parameters.preferred_address) return Result::Ok();
  // RFC 9000 §18.2: neither may the id to use there be empty ...
  if (parameters.preferred_address->connection_id.empty()) {
    return kPreferredAddressConnectionIdInvalid;
  }
  // ... nor the one of the handshake: the server could not tell its connections apart.
  if (parameters.initial_source_connection_id && parameters.initial_source_connection_id->empty()) {
    return kPreferredAddressWithoutConnectionIds;
  }
  return Result::Ok();
}

Result CheckVersionInformation(const TransportParameters& parameters, Perspective sender) {
  if (!parameters.version_information) return Result::Ok();
  const uint32_t chosen = parameters.version_information->chosen_version;
  const VersionList& available = parameters.version_information->available_versions;
  // RFC 9368 §4: version 0 is none.
  if (chosen == 0 || available.Lists(0)) return kVersionInformationVersionZero;
  // RFC 9368 §3, §4: a client says how much it prefers the version that it chose. A server need
  // not list its own.
  if (sender == Perspective::kClient && !available.Lists(chosen)) {
    return kVersionInformationChosenVersionUnlisted;
  }
  return Result::Ok();
}

// ---- Decoding ----

Result DecodeNumber(std::span<const uint8_t> value, uint64_t* number) {
  ByteReader reader(value);
  // RFC 9000 §18.2: the value is one varint, of any width.
  if (!reader.ReadVarint(number) || !reader.is_at_end()) return kTransportParameterIntegerMalformed;
  return Result::Ok();
}

Result DecodeConnectionId(std::span<const uint8_t> value, std::optional<ConnectionId>* id) {
  *id = ConnectionId::FromBytes(value);
  if (!*id) return kConnectionIdParameterTooLong;
  return Result::Ok();
}

Result DecodeStatelessResetToken(std::span<const uint8_t> value,
                                 std::optional<StatelessResetToken>* token) {
  if (value.size() != StatelessResetToken::kSize) return kStatelessResetTokenLengthInvalid;
  *token = StatelessResetToken(value.first<StatelessResetToken::kSize>());
  return Result::Ok();
}

bool IsDestination(const SocketAddress& address) {
  return !address.is_any() && address.port() != 0;
}

Result DecodePreferredAddress(std::span<const uint8_t> value,
                              std::optional<PreferredAddress>* preferred) {
  ByteReader reader(value);
  std::span<const uint8_t> ipv4;
  std::span<const uint8_t> ipv6;
  uint16_t ipv4_port = 0;
  uint16_t ipv6_port = 0;
  uint8_t id_size = 0;
  std::span<const uint8_t> id;
  if (!reader.ReadBytes(SocketAddress::kIpv4Size, &ipv4) || !reader.ReadUint16(&ipv4_port) ||
      !reader.ReadBytes(SocketAddress::kIpv6Size, &ipv6) || !reader.ReadUint16(&ipv6_port) ||
      !reader.ReadUint8(&id_size)) {
    return kPreferredAddressMalformed;
  }
  // RFC 9000 §18.2: the rules of NEW_CONNECTION_ID hold for the id.
  if (id_size > ConnectionId::kMaxSize) return kPreferredAddressConnectionIdInvalid;
  if (!reader.ReadBytes(id_size, &id) || reader.remaining() != StatelessResetToken::kSize) {
    return kPreferredAddressMalformed;
  }
  PreferredAddress& decoded = preferred->emplace();
  decoded.ipv4 = SocketAddress::FromIpv4(ipv4.first<SocketAddress::kIpv4Size>(), ipv4_port);
  decoded.ipv6 = SocketAddress::FromIpv6(ipv6.first<SocketAddress::kIpv6Size>(), ipv6_port);
  if (!IsDestination(*decoded.ipv4)) decoded.ipv4.reset();
  if (!IsDestination(*decoded.ipv6)) decoded.ipv6.reset();
  decoded.connection_id = ConnectionId::FromBytes(id).value();
  decoded.stateless_reset_token =
      StatelessResetToken(reader.rest().first<StatelessResetToken::kSize>());
  return Result::Ok();
}

Result DecodeVersionInformation(std::span<const uint8_t> value,
                                std::optional<VersionInformation>* information) {
  // RFC 9368 §4: too short, or not divisible by four.
  if (value.empty() || value.size() % kVersionSize != 0) return kVersionInformationLengthInvalid;
  VersionInformation& decoded = information->emplace();
  ByteReader reader(value);
  GODWIT_CHECK(reader.ReadUint32(&decoded.chosen_version));
  VersionList& available = decoded.available_versions;
  for (uint32_t version = 0; reader.ReadUint32(&version);) {
    // RFC 9368 §4: here too, as not every version is kept.
    if (version == 0) return kVersionInformationVersionZero;
    // The chosen version takes the last place if it comes late: whether it was listed, and before
    // which others, is what CheckVersionInformation() and a server ask.
    if (available.is_full()) {
      if (version != decoded.chosen_version || available.Lists(version)) continue;
      available.pop_back();
    }
    available.push_back(version);
  }
  return Result::Ok();
}

Result DecodeNumberOrSkip(Id id, std::span<const uint8_t> value, TransportParameters* parameters) {
  for (const NumberParameter& parameter : kNumberParameters) {
    if (parameter.id == id) return DecodeNumber(value, &(parameters->*parameter.field));
  }
  // RFC 9000 §7.4.2: what is not supported must be ignored.
  return Result::Ok();
}

Result DecodeParameter(Id id, std::span<const uint8_t> value, TransportParameters* parameters) {
  uint64_t number = 0;
  switch (id) {
    case Id::kMaxIdleTimeout:
      GODWIT_RETURN_IF_ERROR(DecodeNumber(value, &number));
      parameters->max_idle_timeout = Duration::Milliseconds(static_cast<int64_t>(number));
      return Result::Ok();
    case Id::kMaxAckDelay:
      GODWIT_RETURN_IF_ERROR(DecodeNumber(value, &number));
      parameters->max_ack_delay = Duration::Milliseconds(static_cast<int64_t>(number));
      return Result::Ok();
    case Id::kMinAckDelay:
      GODWIT_RETURN_IF_ERROR(DecodeNumber(value, &number));
      parameters->min_ack_delay = Duration::Microseconds(static_cast<int64_t>(number));
      return Result::Ok();
    case Id::kOriginalDestinationConnectionId:
      return DecodeConnectionId(value, &parameters->original_destination_connection_id);
    case Id::kInitialSourceConnectionId:
      return DecodeConnectionId(value, &parameters->initial_source_connection_id);
    case Id::kRetrySourceConnectionId:
      return DecodeConnectionId(value, &parameters->retry_source_connection_id);
    case Id::kStatelessResetToken:
      return DecodeStatelessResetToken(value, &parameters->stateless_reset_token);
    case Id::kPreferredAddress:
      return DecodePreferredAddress(value, &parameters->preferred_address);
    case Id::kVersionInformation:
      return DecodeVersionInformation(value, &parameters->version_information);
    case Id::kDisableActiveMigration:
      if (!value.empty()) return kDisableActiveMigrationNotEmpty;
      parameters->disable_active_migration = true;
      return Result::Ok();
    case Id::kGreaseQuicBit:
      if (!value.empty()) return kGreaseQuicBitNotEmpty;
      parameters->grease_quic_bit = true;
      return Result::Ok();
    default:
      return DecodeNumberOrSkip(id, value, parameters);
  }
}

// ---- Encoding ----

// RFC 9000 §18.1: 31 * N + 27.
constexpr uint64_t kReservedIdFactor = 31;
constexpr uint64_t kReservedIdOffset = 27;

constexpr uint64_t ReservedId(uint64_t random_bits) {
  constexpr uint64_t kReservedIdCount = (kMaxVarint - kReservedIdOffset) / kReservedIdFactor + 1;
  return random_bits % kReservedIdCount * kReservedIdFactor + kReservedIdOffset;
}

static_assert(ReservedId(UINT64_MAX) <= kMaxVarint);

uint64_t UnitsRoundedUp(Duration duration, Duration unit) {
  GODWIT_CHECK_GE(duration, Duration::Zero());
  if (duration.is_infinite()) return kMaxVarint;
  const int64_t unit_ns = unit.ToNanoseconds();
  const int64_t ns = duration.ToNanoseconds();
  return static_cast<uint64_t>(ns / unit_ns + (ns % unit_ns != 0 ? 1 : 0));
}

// The parameters to be sent, encoded but not yet in their order. Points into what it was made of.
class EncodedParameters {
 public:
  EncodedParameters(const TransportParameters& parameters,
                    const TransportParameterEncoding& encoding) {
    AddNumbers(parameters);
    AddConnectionId(Id::kOriginalDestinationConnectionId,
                    parameters.original_destination_connection_id);
    AddConnectionId(Id::kInitialSourceConnectionId, parameters.initial_source_connection_id);
    AddConnectionId(Id::kRetrySourceConnectionId, parameters.retry_source_connection_id);
    if (parameters.stateless_reset_token) {
      Add(Id::kStatelessResetToken, parameters.stateless_reset_token->bytes());
    }
    if (parameters.disable_active_migration) Add(Id::kDisableActiveMigration, {});
    if (parameters.grease_quic_bit) Add(Id::kGreaseQuicBit, {});
    if (parameters.preferred_address) AddPreferredAddress(*parameters.preferred_address);
    if (parameters.version_information) AddVersionInformation(*parameters.version_information);
    if (encoding.reserved) {
      Add(static_cast<Id>(ReservedId(encoding.reserved->random_bits)), encoding.reserved->value);
    }
    if (encoding.order_seed) Shuffle(*encoding.order_seed);
  }
  EncodedParameters(const EncodedParameters&) = delete;
  EncodedParameters& operator=(const EncodedParameters&) = delete;

  size_t size() const {
    size_t size = 0;
    for (const Entry& entry : entries()) {
      size += VarintSize(entry.id) + VarintSize(entry.value.size()) + entry.value.size();
    }
    return size;
  }

  void Write(ByteWriter& writer) const {
    for (const Entry& entry : entries()) {
      writer.WriteVarint(entry.id);
      writer.WriteVarintPrefixedBytes(entry.value);
    }
  }

 private:
  struct Entry {
    uint64_t id;
    std::span<const uint8_t> value;
  };

  std::span<const Entry> entries() const { return std::span(entries_).first(count_); }

  void Add(Id id, std::span<const uint8_t> value) {
    GODWIT_CHECK_LT(count_, entries_.size());
    entries_[count_++] = {static_cast<uint64_t>(id), value};
  }

  // Adds what was written to values_ since it was `begin` bytes long.
  void AddWritten(Id id, size_t begin) { Add(id, values_.written().subspan(begin)); }

  void AddNumberUnlessDefault(Id id, uint64_t number, uint64_t default_number) {
    if (number == default_number) return;
    const size_t begin = values_.position();
    values_.WriteVarint(number);
    AddWritten(id, begin);
  }

  void AddNumbers(const TransportParameters& parameters) {
    const TransportParameters none;
    constexpr Duration kMillisecond = Duration::Milliseconds(1);
    for (const NumberParameter& number : kNumberParameters) {
      AddNumberUnlessDefault(number.id, parameters.*number.field, none.*number.field);
    }
    AddNumberUnlessDefault(Id::kMaxIdleTimeout,
                           UnitsRoundedUp(parameters.max_idle_timeout, kMillisecond),
                           UnitsRoundedUp(none.max_idle_timeout, kMillisecond));
    AddNumberUnlessDefault(Id::kMaxAckDelay, UnitsRoundedUp(parameters.max_ack_delay, kMillisecond),
                           UnitsRoundedUp(none.max_ack_delay, kMillisecond));
    if (!parameters.min_ack_delay) return;
    const size_t begin = values_.position();
    values_.WriteVarint(UnitsRoundedUp(*parameters.min_ack_delay, Duration::Microseconds(1)));
    AddWritten(Id::kMinAckDelay, begin);
  }

  void AddConnectionId(Id id, const std::optional<ConnectionId>& connection_id) {
    if (connection_id) Add(id, connection_id->bytes());
  }

  void AddPreferredAddress(const PreferredAddress& preferred) {
    const size_t begin = values_.position();
    // The default is the all-zero address that stands for none.
    const SocketAddress ipv4 = preferred.ipv4.value_or(SocketAddress());
    values_.WriteBytes(ipv4.ip());
    values_.WriteUint16(ipv4.port());
    constexpr std::array<uint8_t, SocketAddress::kIpv6Size> kZeros = {};
    const SocketAddress ipv6 = preferred.ipv6.value_or(SocketAddress::FromIpv6(kZeros, 0));
    values_.WriteBytes(ipv6.ip());
    values_.WriteUint16(ipv6.port());
    values_.WriteUint8PrefixedBytes(preferred.connection_id.bytes());
    values_.WriteBytes(preferred.stateless_reset_token.bytes());
    AddWritten(Id::kPreferredAddress, begin);
  }

  void AddVersionInformation(const VersionInformation& information) {
    const size_t begin = values_.position();
    values_.WriteUint32(information.chosen_version);
    for (const uint32_t version : information.available_versions.versions()) {
      values_.WriteUint32(version);
    }
    AddWritten(Id::kVersionInformation, begin);
  }

  // The remainder's bias is far below what anyone could see in orders of some 20 entries.
  void Shuffle(uint64_t seed) {
    for (size_t left = count_; left > 1; --left) {
      seed = NextOfSeed(seed);
      std::swap(entries_[left - 1], entries_[seed % left]);
    }
  }

  // One step of SplitMix64's output function: neighbouring seeds, unrelated orders.
  static uint64_t NextOfSeed(uint64_t seed) {
    seed += 0x9e3779b97f4a7c15;
    seed = (seed ^ (seed >> 30)) * 0xbf58476d1ce4e5b9;
    seed = (seed ^ (seed >> 27)) * 0x94d049bb133111eb;
    return seed ^ (seed >> 31);
  }

  // Values that do not stand in the parameters as they are on the wire.
  std::array<uint8_t, kMaxTransportParameterBytes> values_buffer_;
  ByteWriter values_{values_buffer_};
  std::array<Entry, kIdCount + 1> entries_;  // The one is the reserved one.
  size_t count_ = 0;
};

}  // namespace

Result CheckTransportParameters(const TransportParameters& parameters, Perspective sender) {
  GODWIT_RETURN_IF_ERROR(CheckServerOnly(parameters, sender));
  for (const NumberParameter& parameter : kNumberParameters) {
    const uint64_t number = parameters.*parameter.field;
    if (parameter.error != nullptr && (number < parameter.least || number > parameter.greatest)) {
      return *parameter.error;
    }
  }
  // RFC 9000 §18.2.
  if (parameters.max_ack_delay > Duration::Milliseconds(kMaxAckDelayMs)) {
    return kMaxAckDelayTooLarge;
  }
  // draft-ietf-quic-ack-frequency §3: the max_ack_delay may be the default.
  if (parameters.min_ack_delay > parameters.max_ack_delay) return kMinAckDelayAboveMaxAckDelay;
  GODWIT_RETURN_IF_ERROR(CheckPreferredAddress(parameters));
  return CheckVersionInformation(parameters, sender);
}

Result ParseTransportParameters(std::span<const uint8_t> block, Perspective sender,
                                TransportParameters* parameters) {
  if (block.size() > kMaxTransportParameterBytes) return kTransportParametersTooLong;
  TransportParameters parsed;
  // The shortest parameter is an id and a length of one byte each.
  std::array<uint64_t, kMaxTransportParameterBytes / 2> ids;
  size_t id_count = 0;
  ByteReader reader(block);
  while (!reader.is_at_end()) {
    std::span<const uint8_t> value;
    if (!reader.ReadVarint(&ids[id_count]) || !reader.ReadVarintPrefixedBytes(&value)) {
      return kTransportParameterTruncated;
    }
    GODWIT_RETURN_IF_ERROR(DecodeParameter(static_cast<Id>(ids[id_count]), value, &parsed));
    ++id_count;
  }
  // RFC 9000 §7.4: no parameter twice. Unknown ones included, hence by sorting.
  const auto ids_end = ids.begin() + id_count;
  std::sort(ids.begin(), ids_end);
  if (std::adjacent_find(ids.begin(), ids_end) != ids_end) return kTransportParameterDuplicate;
  GODWIT_RETURN_IF_ERROR(CheckTransportParameters(parsed, sender));
  *parameters = parsed;
  return Result::Ok();
}

size_t EncodedSize(const TransportParameters& parameters,
                   const TransportParameterEncoding& encoding) {
  return EncodedParameters(parameters, encoding).size();
}

void WriteTransportParameters(const TransportParameters& parameters, Perspective sender,
                              const TransportParameterEncoding& encoding, ByteWriter& writer) {
  GODWIT_CHECK(CheckTransportParameters(parameters, sender).ok());
  if (parameters.preferred_address) {
    const PreferredAddress& preferred = *parameters.preferred_address;
    GODWIT_CHECK(!preferred.ipv4 || (preferred.ipv4->is_ipv4() && IsDestination(*preferred.ipv4)));
    GODWIT_CHECK(!preferred.ipv6 || (preferred.ipv6->is_ipv6() && IsDestination(*preferred.ipv6)));
  }
  const EncodedParameters encoded(parameters, encoding);
  GODWIT_CHECK_LE(encoded.size(), kMaxTransportParameterBytes);
  encoded.Write(writer);
}

}  // namespace godwit
