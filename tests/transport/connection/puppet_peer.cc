// SPDX-License-Identifier: Apache-2.0
#include "tests/transport/connection/puppet_peer.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/limits.h"
#include "crypto/header_protector.h"
#include "transport/wire/byte_writer.h"
#include "transport/wire/datagram_splitter.h"
#include "transport/wire/frame_decoder.h"
#include "transport/wire/frame_rules.h"
#include "transport/wire/packet_first_byte.h"
#include "transport/wire/packet_header_encoder.h"

namespace godwit {
namespace {

constexpr EncryptionLevel kFlightLevels[] = {EncryptionLevel::kInitial, EncryptionLevel::kHandshake,
                                             EncryptionLevel::kOneRtt};
constexpr size_t kMaxHeaderBytes = 1 + 4 + 2 * (1 + kMaxConnectionIdBytes) + 8 + 8 + 4;

}  // namespace

bool SeenPacket::Has(FrameKind kind) const {
  return std::ranges::any_of(frames, [kind](const Frame& frame) { return frame.kind() == kind; });
}

bool SeenDatagram::Has(FrameKind kind) const {
  return std::ranges::any_of(packets,
                             [kind](const SeenPacket& packet) { return packet.Has(kind); });
}

bool SeenDatagram::Has(EncryptionLevel level) const {
  return std::ranges::any_of(packets,
                             [level](const SeenPacket& packet) { return packet.level == level; });
}

PuppetPeer::PuppetPeer(Perspective perspective, const Ids& ids, std::unique_ptr<TlsSession> session)
    : perspective_(perspective), ids_(ids), session_(std::move(session)) {
  const InitialSecrets secrets = DeriveInitialSecrets(ids.original_destination.bytes());
  const bool is_client = perspective == Perspective::kClient;
  constexpr auto kInitial = static_cast<size_t>(EncryptionLevel::kInitial);
  send_secrets_[kInitial].push_back(is_client ? secrets.client : secrets.server);
  recv_secrets_[kInitial].push_back(is_client ? secrets.server : secrets.client);
  DrainSecrets();
}

void PuppetPeer::DrainSecrets() {
  while (const std::optional<TlsSecret> next = session_->PollSecret()) {
    auto& secrets = next->direction == SecretDirection::kSend ? send_secrets_ : recv_secrets_;
    secrets[static_cast<size_t>(next->level)].push_back(next->secret);
  }
}

const TrafficSecret& PuppetPeer::SecretOf(Secrets& secrets, uint64_t generation) {
  while (secrets.size() <= generation) secrets.push_back(NextGeneration(secrets.back()));
  return secrets[generation];
}

// ---- Sending ----

raw::Bytes PuppetPeer::Seal(const PuppetPacket& packet) {
  const EncryptionLevel level = packet.level;
  const bool is_short = level == EncryptionLevel::kOneRtt;
  Space& space = SpaceFor(level);
  const PacketNumber number(packet.number.value_or(space.next_number));
  space.next_number = std::max(space.next_number, number.value() + 1);
  const uint64_t generation = is_short ? packet.generation.value_or(send_generation_) : 0;
  const ConnectionId dcid = packet.dcid.value_or(ids_.remote);
  const ConnectionId scid = packet.scid.value_or(ids_.local);

  raw::Bytes bytes(kMaxHeaderBytes + packet.token.size());
  ByteWriter writer(bytes);
  LongHeaderLayout layout = {};
  if (is_short) {
    EncodeShortHeader({.dcid = dcid.bytes(),
                       .packet_number = number,
                       .packet_number_size = packet.number_size,
                       .key_phase_bit = generation % 2 != 0},
                      writer);
  } else {
    layout = EncodeLongHeader({.level = level,
                               .version = packet.version,
                               .dcid = dcid.bytes(),
                               .scid = scid.bytes(),
                               .token = packet.token,
                               .packet_number = number,
                               .packet_number_size = packet.number_size},
                              writer);
  }
  const size_t header_length = writer.position();
  bytes.resize(header_length);
  GODWIT_CHECK_EQ(packet.first_byte_mask & (kLongHeaderBit | kPacketNumberSizeMask), 0);
  bytes[0] ^= packet.first_byte_mask;
  raw::Append(bytes, packet.frames);
  const size_t min_size =
      std::max(packet.min_size, header_length + kAeadTagLength + MinFrameBytes(packet.number_size));
  bytes.resize(std::max(bytes.size() + kAeadTagLength, min_size));
  if (!is_short) SetPacketLength(bytes, layout);

  Secrets& secrets = send_secrets_[static_cast<size_t>(level)];
  PacketSealer sealer(DerivePacketKey(SecretOf(secrets, generation)));
  HeaderProtector header_protector(DeriveHeaderKey(secrets.front()));
  GODWIT_CHECK(ProtectPacket(sealer, header_protector, {bytes, header_length, number}));
  return bytes;
}

std::vector<raw::Bytes> PuppetPeer::TakeCryptoFrames(EncryptionLevel level, size_t max_bytes) {
  std::vector<raw::Bytes> frames;
  Space& space = SpaceFor(level);
  while (true) {
    const std::span<const uint8_t> pending = session_->PendingCryptoData(level);
    if (pending.empty()) return frames;
    const size_t size = std::min(pending.size(), max_bytes);
    frames.push_back(raw::Crypto(space.crypto_sent_bytes, pending.first(size)));
    session_->ConsumeCryptoData(level, size);
    space.crypto_sent_bytes += size;
  }
}

raw::Bytes PuppetPeer::AckOfAllSeen(EncryptionLevel level) const {
  const std::set<uint64_t>& seen = SpaceFor(level).seen;
  if (seen.empty()) return {};
  raw::NumberRanges ranges;
  for (auto number = seen.rbegin(); number != seen.rend(); ++number) {
    if (!ranges.empty() && ranges.back().second == *number + 1) {
      ranges.back().second = *number;
    } else if (ranges.size() < kMaxAckRangesSent) {
      ranges.emplace_back(*number, *number);
    }
  }
  return raw::Ack(ranges);
}

std::vector<raw::Bytes> PuppetPeer::Flight() {
  constexpr size_t kMaxCryptoBytes = 1000;
  std::vector<PuppetPacket> packets;
  for (const EncryptionLevel level : kFlightLevels) {
    if (!CanSeal(level)) continue;
    raw::Bytes front;
    if (std::exchange(SpaceFor(level).is_ack_wanted, false)) front = AckOfAllSeen(level);
    for (const raw::Bytes& frame : TakeCryptoFrames(level, kMaxCryptoBytes)) {
      packets.push_back({.level = level, .frames = raw::Join(front, frame)});
      front.clear();
    }
    if (!front.empty()) packets.push_back({.level = level, .frames = front});
  }
  // RFC 9000 §14.1: a datagram with an Initial packet has 1200 bytes; here the padding is in its
  // last packet.
  std::vector<raw::Bytes> datagrams;
  raw::Bytes datagram;
  bool has_initial = false;
  for (size_t i = 0; i < packets.size(); ++i) {
    has_initial |= packets[i].level == EncryptionLevel::kInitial;
    const bool is_last = i + 1 == packets.size() || datagram.size() + packets[i].frames.size() +
                                                            packets[i + 1].frames.size() + 2 * 64 >
                                                        kMinInitialDatagramBytes;
    if (is_last && has_initial) packets[i].min_size = kMinInitialDatagramBytes - datagram.size();
    raw::Append(datagram, Seal(packets[i]));
    if (!is_last) continue;
    datagrams.push_back(std::exchange(datagram, {}));
    has_initial = false;
  }
  return datagrams;
}

// ---- Receiving ----

SeenDatagram PuppetPeer::Read(std::span<const uint8_t> datagram, const FourTuple& four_tuple,
                              TlsTime now) {
  SeenDatagram seen;
  seen.four_tuple = four_tuple;
  seen.bytes.assign(datagram.begin(), datagram.end());
  raw::Bytes copy = seen.bytes;
  DatagramSplitter splitter(copy, PacketRules(ids_.local.size()));
  for (DatagramPart part; splitter.Next(&part);) {
    if (part.kind() == DatagramPart::Kind::kPacket) {
      ReadPacket(part.packet(), now, seen);
    } else {
      ++seen.unreadable_count;
    }
  }
  return seen;
}

void PuppetPeer::ReadPacket(ProtectedPacket packet, TlsTime now, SeenDatagram& datagram) {
  const EncryptionLevel level = packet.level();
  Secrets& secrets = recv_secrets_[static_cast<size_t>(level)];
  if (secrets.empty()) {
    ++datagram.unreadable_count;
    return;
  }
  HeaderProtector(DeriveHeaderKey(secrets.front()))
      .Unprotect({packet.bytes(), packet.packet_number_offset()});
  const std::set<uint64_t>& numbers = SpaceFor(level).seen;
  const std::optional<PacketNumber> largest =
      numbers.empty() ? std::nullopt : std::optional(PacketNumber(*numbers.rbegin()));
  const EncryptedPacket encrypted = std::move(packet).HeaderProtectionRemoved(largest);
  std::optional<raw::Bytes> payload = Open(encrypted);
  if (!payload.has_value()) {
    ++datagram.unreadable_count;
    return;
  }
  SeenPacket seen = {.level = level,
                     .number = encrypted.packet_number().value(),
                     .size = encrypted.size(),
                     .dcid = *ConnectionId::FromBytes(encrypted.dcid()),
                     .scid = *ConnectionId::FromBytes(encrypted.scid()),
                     .key_phase = encrypted.key_phase_bit(),
                     .token = {encrypted.token().begin(), encrypted.token().end()},
                     .payload = *std::move(payload),
                     .frames = {}};
  // RFC 9000 §7.2: from the first packet on, a client uses the connection id that the server chose.
  if (level == EncryptionLevel::kInitial && perspective_ == Perspective::kClient) {
    ids_.remote = seen.scid;
  }
  TakeFrames(seen, now);
  datagram.packets.push_back(std::move(seen));
}

std::optional<raw::Bytes> PuppetPeer::Open(const EncryptedPacket& packet) {
  const bool is_short = packet.level() == EncryptionLevel::kOneRtt;
  Secrets& secrets = recv_secrets_[static_cast<size_t>(packet.level())];
  ForgeryCount forgeries;
  const uint64_t first = is_short && recv_generation_ > 0 ? recv_generation_ - 1 : 0;
  const uint64_t last = is_short ? recv_generation_ + 1 : 0;
  for (uint64_t generation = first; generation <= last; ++generation) {
    if (is_short && packet.key_phase_bit() != (generation % 2 != 0)) continue;
    raw::Bytes payload(packet.protected_payload().begin(), packet.protected_payload().end());
    const PacketOpener opener(DerivePacketKey(SecretOf(secrets, generation)));
    const OpenOutcome outcome =
        opener.Open({packet.header(), payload, packet.packet_number()}, forgeries);
    if (!outcome.opened) continue;
    if (is_short) recv_generation_ = std::max(recv_generation_, generation);
    payload.resize(outcome.payload.size());
    return payload;
  }
  return std::nullopt;
}

void PuppetPeer::TakeFrames(SeenPacket& packet, TlsTime now) {
  Space& space = SpaceFor(packet.level);
  space.seen.insert(packet.number);
  FrameDecoder decoder(packet.payload, packet.level, Opposite(perspective_));
  while (!decoder.is_done()) {
    Frame frame;
    // What a connection of ours sends is well formed.
    GODWIT_CHECK(decoder.Next(&frame).ok());
    space.is_ack_wanted |= RulesOf(frame.type()).is_ack_eliciting();
    if (frame.kind() == FrameKind::kCrypto) OnCrypto(frame.As<CryptoFrame>(), packet.level, now);
    packet.frames.push_back(frame);
  }
}

void PuppetPeer::OnCrypto(const CryptoFrame& frame, EncryptionLevel level, TlsTime now) {
  Space& space = SpaceFor(level);
  raw::Bytes& ahead = space.crypto_ahead[frame.offset_bytes];
  if (frame.data.size() > ahead.size()) ahead.assign(frame.data.begin(), frame.data.end());
  while (!space.crypto_ahead.empty() &&
         space.crypto_ahead.begin()->first <= space.crypto_received_bytes) {
    const auto [offset, data] = std::move(*space.crypto_ahead.begin());
    space.crypto_ahead.erase(space.crypto_ahead.begin());
    if (offset + data.size() <= space.crypto_received_bytes) continue;
    const auto news = std::span(data).subspan(space.crypto_received_bytes - offset);
    space.crypto_received_bytes += news.size();
    if (tls_result_.ok()) tls_result_ = session_->ProvideCryptoData(level, news, now);
    DrainSecrets();
  }
}

}  // namespace godwit
