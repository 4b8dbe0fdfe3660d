// SPDX-License-Identifier: Apache-2.0
#include "tests/sim/wire_observer.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"

#include "tests/transport/wire/frame_text.h"
#include "transport/wire/datagram_splitter.h"
#include "transport/wire/frame_decoder.h"

namespace godwit {
namespace {

std::string_view NameOf(EncryptionLevel level) {
  switch (level) {
    case EncryptionLevel::kInitial:
      return "packet: initial";
    case EncryptionLevel::kZeroRtt:
      return "packet: 0rtt";
    case EncryptionLevel::kHandshake:
      return "packet: handshake";
    case EncryptionLevel::kOneRtt:
      return "packet: 1rtt";
  }
  return "packet";
}

std::string_view NameOf(FrameKind kind) {
  constexpr std::string_view kNames[] = {"PADDING",
                                         "PING",
                                         "ACK",
                                         "RESET_STREAM",
                                         "STOP_SENDING",
                                         "CRYPTO",
                                         "NEW_TOKEN",
                                         "STREAM",
                                         "MAX_DATA",
                                         "MAX_STREAM_DATA",
                                         "MAX_STREAMS",
                                         "DATA_BLOCKED",
                                         "STREAM_DATA_BLOCKED",
                                         "STREAMS_BLOCKED",
                                         "NEW_CONNECTION_ID",
                                         "RETIRE_CONNECTION_ID",
                                         "PATH_CHALLENGE",
                                         "PATH_RESPONSE",
                                         "CONNECTION_CLOSE",
                                         "HANDSHAKE_DONE",
                                         "DATAGRAM",
                                         "ACK_FREQUENCY",
                                         "IMMEDIATE_ACK"};
  return kNames[static_cast<size_t>(kind)];
}

// What tells frames of a kind apart, for the trace.
uint64_t NumberIn(const Frame& frame) {
  switch (frame.kind()) {
    case FrameKind::kStream:
      return frame.As<StreamFrame>().offset_bytes * 1'000 +
             frame.As<StreamFrame>().stream_id.value();
    case FrameKind::kCrypto:
      return frame.As<CryptoFrame>().offset_bytes;
    case FrameKind::kMaxData:
      return frame.As<MaxDataFrame>().maximum_bytes;
    case FrameKind::kMaxStreamData:
      return frame.As<MaxStreamDataFrame>().maximum_bytes;
    case FrameKind::kAck:
      return (*frame.As<AckFrame>().ranges.begin()).largest.value();
    default:
      return 0;
  }
}

std::string Describe(const Frame& frame) {
  switch (frame.kind()) {
    case FrameKind::kStream: {
      const StreamFrame& stream = frame.As<StreamFrame>();
      return absl::StrCat("STREAM ", stream.stream_id.value(), " ", stream.offset_bytes, "+",
                          stream.data.size(), stream.is_fin ? " FIN" : "");
    }
    case FrameKind::kCrypto:
      return absl::StrCat("CRYPTO ", frame.As<CryptoFrame>().offset_bytes, "+",
                          frame.As<CryptoFrame>().data.size());
    case FrameKind::kDatagram:
      return absl::StrCat("DATAGRAM ", frame.As<DatagramFrame>().data.size());
    default:
      return ToText(frame);
  }
}

}  // namespace

WireObserver::Keys::Keys(EncryptionLevel level, Perspective sender, const TrafficSecret& secret)
    : level(level),
      sender(sender),
      secret(secret),
      header(DeriveHeaderKey(secret)),
      opener(DerivePacketKey(secret)) {}

void WireObserver::OnSent(SimNetwork::NodeId from, SimNetwork::NodeId to, const SimPacket& packet) {
  const auto sender = ends_.find(from);
  const auto receiver = ends_.find(to);
  if (sender == ends_.end() || receiver == ends_.end()) return;
  LearnSecrets();
  std::vector<uint8_t> copy = packet.payload;
  DatagramSplitter splitter(copy, PacketRules(receiver->second.connection_id_bytes));
  for (DatagramPart part; splitter.Next(&part);) {
    if (part.kind() == DatagramPart::Kind::kPacket) {
      ReadPacket(sender->second, receiver->second, packet, part.packet());
    } else {
      ++unreadable_packets_;
      trace_.Add(queue_.now(), {"packet: other", sender->second.name, 0, part.bytes().size()});
    }
  }
}

void WireObserver::OnDelivered(SimNetwork::NodeId from, SimNetwork::NodeId to,
                               const SimPacket& packet) {
  static_cast<void>(from);
  static_cast<void>(to);
  static_cast<void>(packet);
}

uint64_t WireObserver::key_generation(Perspective sender) const {
  uint64_t generation = 0;
  for (const std::unique_ptr<Keys>& keys : keys_) {
    if (keys->sender == sender) generation = std::max(generation, keys->generation);
  }
  return generation;
}

// ---- Keys ----

bool WireObserver::LearnInitialKeys(std::span<const uint8_t> dcid) {
  if (!initial_dcids_.emplace(dcid.begin(), dcid.end()).second) return false;
  const InitialSecrets secrets = DeriveInitialSecrets(dcid);
  keys_.push_back(
      std::make_unique<Keys>(EncryptionLevel::kInitial, Perspective::kClient, secrets.client));
  keys_.push_back(
      std::make_unique<Keys>(EncryptionLevel::kInitial, Perspective::kServer, secrets.server));
  return true;
}

void WireObserver::LearnSecrets() {
  for (; secrets_read_ < book_.size(); ++secrets_read_) {
    const BookedSecret& booked = book_[secrets_read_];
    keys_.push_back(std::make_unique<Keys>(booked.level, booked.sender, booked.secret));
    if (booked.level == EncryptionLevel::kOneRtt && booked.sender == Perspective::kClient) {
      ++session_count_;
    }
  }
}

void WireObserver::ReadPacket(const End& sender, const End& receiver, const SimPacket& datagram,
                              const ProtectedPacket& packet) {
  if (TryAllKeys(sender, receiver, datagram, packet)) return;
  if (packet.level() == EncryptionLevel::kInitial && sender.perspective == Perspective::kClient &&
      LearnInitialKeys(packet.dcid()) && TryAllKeys(sender, receiver, datagram, packet)) {
    return;
  }
  ++unreadable_packets_;
  trace_.Add(queue_.now(), {"packet: unreadable", sender.name, 0, packet.size()});
}

bool WireObserver::TryAllKeys(const End& sender, const End& receiver, const SimPacket& datagram,
                              const ProtectedPacket& packet) {
  // The newest connection is the most likely one.
  for (auto keys = keys_.rbegin(); keys != keys_.rend(); ++keys) {
    if ((*keys)->level != packet.level() || (*keys)->sender != sender.perspective) continue;
    if (TryKeys(**keys, sender, receiver, datagram, packet)) return true;
  }
  return false;
}

bool WireObserver::TryKeys(Keys& keys, const End& sender, const End& receiver,
                           const SimPacket& datagram, const ProtectedPacket& packet) {
  const TrafficSecret next_secret = NextGeneration(keys.secret);
  const bool may_update = keys.level == EncryptionLevel::kOneRtt;
  for (int attempt = 0; attempt < (may_update ? 2 : 1); ++attempt) {
    std::vector<uint8_t> copy(packet.bytes().begin(), packet.bytes().end());
    DatagramSplitter splitter(copy, PacketRules(receiver.connection_id_bytes));
    DatagramPart part;
    if (!splitter.Next(&part) || part.kind() != DatagramPart::Kind::kPacket) return false;
    const ProtectedPacket protected_packet = part.packet();
    keys.header.Unprotect({protected_packet.bytes(), protected_packet.packet_number_offset()});
    EncryptedPacket encrypted =
        ProtectedPacket(protected_packet).HeaderProtectionRemoved(keys.largest);
    const IncomingPacket incoming = {encrypted.header(), encrypted.protected_payload(),
                                     encrypted.packet_number()};
    ForgeryCount forgeries;
    const OpenOutcome outcome =
        attempt == 0 ? keys.opener.Open(incoming, forgeries)
                     : PacketOpener(DerivePacketKey(next_secret)).Open(incoming, forgeries);
    if (!outcome.opened) continue;
    if (attempt == 1) {
      keys.secret = next_secret;
      keys.opener = PacketOpener(DerivePacketKey(next_secret));
      ++keys.generation;
      trace_.Add(queue_.now(), {"key update", sender.name, keys.generation, 0});
    }
    const PacketNumber number = encrypted.packet_number();
    if (keys.largest.has_value() && number <= *keys.largest) {
      Report(absl::StrCat(sender.name, " uses packet number ", number.value(), " after ",
                          keys.largest->value()));
    }
    keys.largest = number;
    trace_.Add(queue_.now(), {NameOf(keys.level), sender.name, number.value(), packet.size()});
    const ObservedPacket observed = {queue_.now(), keys.sender,     keys.level,
                                     number,       keys.generation, &datagram};
    ReadFrames(observed, keys, sender, receiver, outcome.payload);
    return true;
  }
  return false;
}

// ---- Frames ----

void WireObserver::ReadFrames(const ObservedPacket& packet, const Keys& keys, const End& sender,
                              const End& receiver, std::span<const uint8_t> payload) {
  FrameDecoder decoder(payload, packet.level, packet.sender);
  while (!decoder.is_done()) {
    Frame frame;
    if (!decoder.Next(&frame).ok()) {
      return Report(absl::StrCat(sender.name, " sends a frame that cannot be read"));
    }
    trace_.Add(packet.sent_at,
               {NameOf(frame.kind()), sender.name, NumberIn(frame), decoder.frame_size_bytes()});
    if (trace_.has_sink()) trace_.Comment(packet.sent_at, "    " + Describe(frame));
    CheckFrame(packet, keys, sender, receiver, frame);
    if (hook_ != nullptr) hook_(packet, frame);
  }
}

void WireObserver::CheckFrame(const ObservedPacket& packet, const Keys& keys, const End& sender,
                              const End& receiver, const Frame& frame) {
  if (frame.kind() == FrameKind::kPathResponse) path_responses_.insert(packet.datagram->number);
  if (session_count_ > 1) return;
  switch (frame.kind()) {
    case FrameKind::kAck:
      return CheckAck(keys, frame.As<AckFrame>());
    case FrameKind::kMaxData: {
      uint64_t& credit = CreditOf(sender).max_data;
      credit = std::max(credit, frame.As<MaxDataFrame>().maximum_bytes);
      return;
    }
    case FrameKind::kMaxStreamData: {
      const MaxStreamDataFrame& max = frame.As<MaxStreamDataFrame>();
      uint64_t& credit = CreditOf(sender).max_stream_data[max.stream_id.value()];
      credit = std::max(credit, max.maximum_bytes);
      return;
    }
    case FrameKind::kStream: {
      const StreamFrame& stream = frame.As<StreamFrame>();
      return OnStreamBytes(receiver, stream.stream_id, stream.offset_bytes + stream.data.size());
    }
    case FrameKind::kResetStream: {
      const ResetStreamFrame& reset = frame.As<ResetStreamFrame>();
      return OnStreamBytes(receiver, reset.stream_id, reset.final_size_bytes);
    }
    default:
      return;
  }
}

void WireObserver::CheckAck(const Keys& keys, const AckFrame& frame) {
  const PacketNumber largest = (*frame.ranges.begin()).largest;
  bool was_sent = false;
  for (const std::unique_ptr<Keys>& other : keys_) {
    if (other->sender == keys.sender || SpaceOf(other->level) != SpaceOf(keys.level)) continue;
    was_sent |= other->largest.has_value() && largest <= *other->largest;
  }
  if (!was_sent) Report(absl::StrCat("packet ", largest.value(), " is acknowledged, not sent"));
}

WireObserver::Credit& WireObserver::CreditOf(const End& receiver) {
  const auto [found, is_new] = credits_.try_emplace(receiver.perspective);
  if (is_new) found->second.max_data = receiver.streams.initial_max_data;
  return found->second;
}

void WireObserver::OnStreamBytes(const End& receiver, StreamId stream, uint64_t end) {
  Credit& credit = CreditOf(receiver);
  uint64_t& highest = credit.highest[stream.value()];
  if (end > highest) {
    credit.used += end - highest;
    highest = end;
  }
  const StreamConfig& config = receiver.streams;
  uint64_t stream_credit = stream.initiator() == receiver.perspective
                               ? config.initial_max_stream_data_bidi_local
                               : config.initial_max_stream_data_bidi_remote;
  if (!stream.is_bidirectional()) stream_credit = config.initial_max_stream_data_uni;
  const auto raised = credit.max_stream_data.find(stream.value());
  if (raised != credit.max_stream_data.end()) {
    stream_credit = std::max(stream_credit, raised->second);
  }
  if (end > stream_credit) {
    Report(
        absl::StrCat("stream ", stream.value(), " reaches ", end, ", its credit ", stream_credit));
  }
  if (credit.used > credit.max_data) {
    Report(absl::StrCat("streams take ", credit.used, " bytes, their credit is ", credit.max_data));
  }
}

void WireObserver::Report(const std::string& what) {
  if (problem_.empty()) problem_ = "on the wire: " + what;
}

}  // namespace godwit
