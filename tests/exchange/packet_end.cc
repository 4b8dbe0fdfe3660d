// SPDX-License-Identifier: Apache-2.0
#include "tests/exchange/packet_end.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

#include "base/check.h"
#include "base/limits.h"
#include "base/protocol_errors.h"
#include "crypto/key_schedule.h"
#include "tests/transport/wire/frame_text.h"
#include "transport/wire/connection_id_authentication.h"
#include "transport/wire/datagram_splitter.h"
#include "transport/wire/frame_decoder.h"
#include "transport/wire/frame_encoder.h"
#include "transport/wire/frame_rules.h"
#include "transport/wire/packet_header_encoder.h"

namespace godwit {
namespace {

constexpr size_t kPacketNumberSize = 2;
constexpr size_t kMinRoomForPacket = 100;
constexpr Duration kProbeTimeout = Duration::Milliseconds(100);
constexpr EncryptionLevel kSendLevels[] = {EncryptionLevel::kInitial, EncryptionLevel::kHandshake,
                                           EncryptionLevel::kOneRtt};

std::string Describe(const Frame& frame) {
  switch (frame.kind()) {
    case FrameKind::kPadding:
      return absl::StrCat("PADDING ", frame.As<PaddingFrame>().length_bytes);
    case FrameKind::kCrypto:
      return absl::StrCat("CRYPTO ", frame.As<CryptoFrame>().offset_bytes, "+",
                          frame.As<CryptoFrame>().data.size());
    case FrameKind::kStream:
      return absl::StrCat("STREAM ", frame.As<StreamFrame>().offset_bytes, "+",
                          frame.As<StreamFrame>().data.size());
    case FrameKind::kAck:
      return absl::StrCat("ACK 0-", (*frame.As<AckFrame>().ranges.begin()).largest.value());
    case FrameKind::kHandshakeDone:
      return "HANDSHAKE_DONE";
    default:
      return ToText(frame);
  }
}

}  // namespace

PacketEnd::PacketEnd(Perspective perspective, const PacketEndIds& ids,
                     std::unique_ptr<TlsSession> session)
    : perspective_(perspective), ids_(ids), session_(std::move(session)) {
  const InitialSecrets secrets = DeriveInitialSecrets(ids.client_initial_destination.bytes());
  const bool is_client = perspective == Perspective::kClient;
  InstallKeys(EncryptionLevel::kInitial, SecretDirection::kSend,
              is_client ? secrets.client : secrets.server);
  InstallKeys(EncryptionLevel::kInitial, SecretDirection::kRecv,
              is_client ? secrets.server : secrets.client);
  DrainSecrets();
}

void PacketEnd::InstallKeys(EncryptionLevel level, SecretDirection direction,
                            const TrafficSecret& secret) {
  Keys& keys = keys_[static_cast<size_t>(level)];
  if (direction == SecretDirection::kSend) {
    keys.sealer.emplace(DerivePacketKey(secret));
    keys.send_header.emplace(DeriveHeaderKey(secret));
  } else {
    keys.opener.emplace(DerivePacketKey(secret));
    keys.recv_header.emplace(DeriveHeaderKey(secret));
  }
}

void PacketEnd::DrainSecrets() {
  while (const std::optional<TlsSecret> next = session_->PollSecret()) {
    if (next->level != EncryptionLevel::kOneRtt) {
      InstallKeys(next->level, next->direction, next->secret);
    } else if (next->direction == SecretDirection::kSend) {
      key_phases_.InstallWriteSecret(next->secret);
    } else {
      key_phases_.InstallReadSecret(next->secret);
    }
  }
}

// ---- Sending ----

bool PacketEnd::HasFramesFor(EncryptionLevel level) const {
  const Space& space = spaces_[static_cast<size_t>(SpaceOf(level))];
  const bool has_keys = level == EncryptionLevel::kOneRtt
                            ? key_phases_.can_seal()
                            : keys_[static_cast<size_t>(level)].sealer.has_value();
  const bool owes_handshake_done = level == EncryptionLevel::kOneRtt &&
                                   perspective_ == Perspective::kServer && !handshake_confirmed_ &&
                                   session_->facts().handshake_complete;
  return has_keys && (space.is_ack_pending || owes_handshake_done ||
                      !session_->PendingCryptoData(level).empty());
}

std::vector<DatagramBytes> PacketEnd::Send() {
  std::vector<DatagramBytes> datagrams;
  for (;;) {
    DatagramBytes datagram;
    bool has_initial = false;
    for (const EncryptionLevel level : kSendLevels) {
      if (!HasFramesFor(level)) continue;
      if (datagram.size() + kMinRoomForPacket > kMinInitialDatagramBytes) break;
      has_initial |= level == EncryptionLevel::kInitial;
      // RFC 9000 §14.1: a datagram with an Initial packet is padded; here within its last packet
      // with a long header.
      const bool is_padded = has_initial && (level == EncryptionLevel::kHandshake ||
                                             !HasFramesFor(EncryptionLevel::kHandshake));
      AppendPacket(level, is_padded, &datagram);
    }
    if (datagram.empty()) return datagrams;
    datagrams.push_back(std::move(datagram));
  }
}

void PacketEnd::AppendPacket(EncryptionLevel level, bool is_padded, DatagramBytes* datagram) {
  const size_t begin = datagram->size();
  datagram->resize(kMinInitialDatagramBytes);
  std::span<uint8_t> packet = std::span(*datagram).subspan(begin);
  if (level == EncryptionLevel::kOneRtt) {
    WriteShortPacket(&packet);
  } else {
    WriteLongPacket(level, is_padded, &packet);
  }
  datagram->resize(begin + packet.size());
}

void PacketEnd::WriteFrames(EncryptionLevel level, ByteWriter& writer) {
  Space& space = SpaceFor(level);
  if (space.is_ack_pending) {
    const AckRange ranges[] = {{PacketNumber(0), *space.largest_received}};
    const AckFrameFields fields = {.encoded_ack_delay = 0, .ecn_counts = std::nullopt};
    WriteAckFrame(fields, ranges, PlanAckFrame(fields, ranges, {.max_bytes = writer.space_left()}),
                  writer);
    space.is_ack_pending = false;
  }
  if (level == EncryptionLevel::kOneRtt && perspective_ == Perspective::kServer &&
      !handshake_confirmed_ && session_->facts().handshake_complete) {
    WriteFrame(HandshakeDoneFrame{}, writer);
    handshake_confirmed_ = true;  // RFC 9001 §4.1.2
    key_phases_.OnHandshakeConfirmed();
  }
  const std::span<const uint8_t> pending = session_->PendingCryptoData(level);
  constexpr size_t kMaxCryptoHeader = 1 + 4 + 2;
  if (pending.empty() || writer.space_left() <= kMaxCryptoHeader) return;
  const size_t take = std::min(pending.size(), writer.space_left() - kMaxCryptoHeader);
  WriteFrame(CryptoFrame{space.crypto_sent_bytes, pending.first(take)}, writer);
  session_->ConsumeCryptoData(level, take);
  space.crypto_sent_bytes += take;
}

void PacketEnd::WriteLongPacket(EncryptionLevel level, bool is_padded, std::span<uint8_t>* packet) {
  const PacketNumber number(SpaceFor(level).next_packet_number++);
  ByteWriter writer(packet->first(packet->size() - kAeadTagLength));
  const LongHeaderLayout layout = EncodeLongHeader({.level = level,
                                                    .dcid = ids_.peer.bytes(),
                                                    .scid = ids_.local.bytes(),
                                                    .packet_number = number,
                                                    .packet_number_size = kPacketNumberSize},
                                                   writer);
  const size_t header_length = writer.position();
  WriteFrames(level, writer);
  if (is_padded) writer.WriteZeros(writer.space_left());
  *packet = packet->first(writer.position() + kAeadTagLength);
  SetPacketLength(*packet, layout);
  Keys& keys = keys_[static_cast<size_t>(level)];
  const OutgoingPacket outgoing = {*packet, header_length, number};
  GODWIT_CHECK(ProtectPacket(*keys.sealer, *keys.send_header, outgoing));
}

void PacketEnd::WriteShortPacket(std::span<uint8_t>* packet) {
  const PacketNumber number(SpaceFor(EncryptionLevel::kOneRtt).next_packet_number++);
  ByteWriter writer(packet->first(packet->size() - kAeadTagLength));
  EncodeShortHeader({.dcid = ids_.peer.bytes(),
                     .packet_number = number,
                     .packet_number_size = kPacketNumberSize,
                     .key_phase_bit = key_phases_.key_phase()},
                    writer);
  const size_t header_length = writer.position();
  WriteFrames(EncryptionLevel::kOneRtt, writer);
  writer.WriteZeros(MinFrameBytes(kPacketNumberSize));
  *packet = packet->first(writer.position() + kAeadTagLength);
  const OutgoingPacket outgoing = {*packet, header_length, number};
  GODWIT_CHECK(key_phases_.ProtectTrain({&outgoing, 1}));
}

std::vector<DatagramBytes> PacketEnd::SendStream(std::span<const uint8_t> data,
                                                 size_t datagram_bytes) {
  std::vector<DatagramBytes> datagrams;
  Space& space = SpaceFor(EncryptionLevel::kOneRtt);
  std::vector<OutgoingPacket> train;
  while (!data.empty()) {
    DatagramBytes& datagram = datagrams.emplace_back(datagram_bytes);
    const PacketNumber number(space.next_packet_number++);
    ByteWriter writer(std::span<uint8_t>(datagram).first(datagram_bytes - kAeadTagLength));
    EncodeShortHeader({.dcid = ids_.peer.bytes(),
                       .packet_number = number,
                       .packet_number_size = 4,
                       .key_phase_bit = key_phases_.key_phase()},
                      writer);
    const size_t header_length = writer.position();
    StreamFrameHeader frame = {StreamId(0), stream_sent_bytes_, 0, false};
    const size_t room = writer.space_left() - EncodedSize(frame, LengthField::kAbsent);
    frame.data_size_bytes = std::min(data.size(), room);
    WriteStreamFrameHeader(frame, LengthField::kAbsent, writer);
    const std::span<const uint8_t> tail = data.first(frame.data_size_bytes);
    datagram.resize(writer.position() + tail.size() + kAeadTagLength);
    train.push_back({datagram, header_length, number, tail});
    stream_sent_bytes_ += tail.size();
    data = data.subspan(tail.size());
  }
  GODWIT_CHECK(key_phases_.ProtectTrain(train));
  return datagrams;
}

// ---- Receiving ----

Result PacketEnd::OnDatagram(std::span<uint8_t> datagram, TlsTime time) {
  key_phases_.OnTimeout(time.now);
  DatagramSplitter splitter(datagram, {.short_header_dcid_size = ids_.local.size()});
  for (DatagramPart part; splitter.Next(&part);) {
    if (part.kind() != DatagramPart::Kind::kPacket) {
      ++dropped_packets_;
      continue;
    }
    GODWIT_RETURN_IF_ERROR(OnPacket(part.packet(), time));
  }
  return Result::Ok();
}

Result PacketEnd::OnPacket(ProtectedPacket packet, TlsTime time) {
  Space& space = SpaceFor(packet.level());
  Keys& keys = keys_[static_cast<size_t>(packet.level())];
  const HeaderPosition position = {packet.bytes(), packet.packet_number_offset()};
  if (packet.level() == EncryptionLevel::kOneRtt ? !key_phases_.can_open()
                                                 : !keys.opener.has_value()) {
    ++dropped_packets_;
    return Result::Ok();
  }
  if (packet.level() == EncryptionLevel::kOneRtt) {
    key_phases_.Unprotect({&position, 1});
  } else {
    keys.recv_header->Unprotect(position);
  }
  EncryptedPacket encrypted = std::move(packet).HeaderProtectionRemoved(space.largest_received);
  const OpenOutcome outcome = Open(encrypted, time);
  GODWIT_RETURN_IF_ERROR(outcome.result);
  if (!outcome.opened) {
    ++dropped_packets_;
    return Result::Ok();
  }
  const PlainPacket plain = std::move(encrypted).PayloadOpened(outcome.payload.size());
  GODWIT_RETURN_IF_ERROR(plain.CheckReservedBits());
  space.largest_received = plain.packet_number();
  // RFC 9000 §7.2: from the first packet on, a client uses the connection id that the server chose.
  if (plain.level() == EncryptionLevel::kInitial && perspective_ == Perspective::kClient) {
    ids_.peer = *ConnectionId::FromBytes(plain.scid());
  }
  return OnPayload(plain, time);
}

OpenOutcome PacketEnd::Open(const EncryptedPacket& packet, TlsTime time) {
  const IncomingPacket incoming = {packet.header(), packet.protected_payload(),
                                   packet.packet_number()};
  if (packet.level() == EncryptionLevel::kOneRtt) {
    return key_phases_.Open(incoming, forgeries_, time.now, kProbeTimeout).outcome;
  }
  return keys_[static_cast<size_t>(packet.level())].opener->Open(incoming, forgeries_);
}

Result PacketEnd::OnPayload(const PlainPacket& packet, TlsTime time) {
  PacketRecord record = {packet.level(), packet.packet_number(), packet.size(), ""};
  FrameDecoder decoder(packet.payload(), packet.level(), Opposite(perspective_));
  Frame frame;
  while (!decoder.is_done()) {
    GODWIT_RETURN_IF_ERROR(decoder.Next(&frame));
    absl::StrAppend(&record.frames, record.frames.empty() ? "" : ", ", Describe(frame));
    if (RulesOf(frame.type()).is_ack_eliciting()) SpaceFor(packet.level()).is_ack_pending = true;
    if (frame.kind() == FrameKind::kCrypto) {
      GODWIT_RETURN_IF_ERROR(OnCrypto(frame.As<CryptoFrame>(), packet.level(), time));
    } else if (frame.kind() == FrameKind::kStream) {
      const std::span<const uint8_t> data = frame.As<StreamFrame>().data;
      stream_data_.insert(stream_data_.end(), data.begin(), data.end());
    } else if (frame.kind() == FrameKind::kHandshakeDone) {
      handshake_confirmed_ = true;
      key_phases_.OnHandshakeConfirmed();
    }
  }
  received_.push_back(std::move(record));
  return Result::Ok();
}

Result PacketEnd::OnCrypto(const CryptoFrame& frame, EncryptionLevel level, TlsTime time) {
  Space& space = SpaceFor(level);
  GODWIT_CHECK_EQ(frame.offset_bytes, space.crypto_received_bytes);
  space.crypto_received_bytes += frame.data.size();
  GODWIT_RETURN_IF_ERROR(session_->ProvideCryptoData(level, frame.data, time));
  DrainSecrets();
  return ReadPeerParameters();
}

Result PacketEnd::ReadPeerParameters() {
  const std::span<const uint8_t> block = session_->facts().peer_transport_parameters;
  if (peer_parameters_.has_value() || block.empty()) return Result::Ok();
  TransportParameters parameters;
  GODWIT_RETURN_IF_ERROR(ParseTransportParameters(block, Opposite(perspective_), &parameters));
  if (perspective_ == Perspective::kServer) {
    GODWIT_RETURN_IF_ERROR(AuthenticateClientConnectionIds(parameters, ids_.peer));
  } else {
    GODWIT_RETURN_IF_ERROR(AuthenticateServerConnectionIds(
        parameters, {.original_destination = ids_.client_initial_destination,
                     .retry_source = std::nullopt,
                     .initial_source = ids_.peer}));
  }
  peer_parameters_ = parameters;
  return Result::Ok();
}

}  // namespace godwit
