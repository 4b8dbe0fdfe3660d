// SPDX-License-Identifier: Apache-2.0
#include "tests/transport/connection/puppet_stage.h"

#include <algorithm>

#include "base/check.h"
#include "congestion/builtin_controllers.h"
#include "transport/wire/byte_writer.h"

namespace godwit {
namespace {

constexpr TlsTime kStart = {Timestamp::FromNanoseconds(1'000'000'000'000),
                            UnixTime::FromSeconds(1'800'000'000)};

FourTuple FirstPath() {
  return {.local = *SocketAddress::Parse("192.0.2.1:4433"),
          .peer = *SocketAddress::Parse("198.51.100.7:5000")};
}

}  // namespace

TransportParameters GenerousParameters() {
  TransportParameters parameters;
  parameters.max_idle_timeout = Duration::Seconds(60);
  parameters.initial_max_data = 1 << 20;
  parameters.initial_max_stream_data_bidi_local = 1 << 18;
  parameters.initial_max_stream_data_bidi_remote = 1 << 18;
  parameters.initial_max_stream_data_uni = 1 << 18;
  parameters.initial_max_streams_bidi = 100;
  parameters.initial_max_streams_uni = 100;
  parameters.active_connection_id_limit = 4;
  parameters.max_datagram_frame_size = kMaxDatagramBytes;
  return parameters;
}

PuppetStage::PuppetStage(const StageOptions& options)
    : options_(options),
      random_(options.seed),
      clients_(options.subject == Perspective::kClient ? options.subject_tls : options.puppet_tls),
      servers_(options.subject == Perspective::kServer ? options.subject_tls : options.puppet_tls),
      now_(kStart),
      first_path_(FirstPath()),
      path_(first_path_) {
  if (options_.clients == nullptr) options_.clients = &clients_;
  if (options_.servers == nullptr) options_.servers = &servers_;
  if (options_.subject == Perspective::kServer) {
    StartServer();
  } else {
    StartClient();
  }
  subject_->CheckInvariants();
}

PuppetStage::~PuppetStage() = default;

ConnectionId PuppetStage::NewId(size_t size) {
  raw::Bytes bytes(size);
  if (size != 0) {
    random_.Fill(bytes);
    bytes[0] = static_cast<uint8_t>(++last_id_);
  }
  return *ConnectionId::FromBytes(bytes);
}

StatelessResetToken PuppetStage::TokenOf(const ConnectionId& id) const {
  std::array<uint8_t, StatelessResetToken::kSize> token = {0x70};
  for (size_t i = 0; i < id.size(); ++i) token[1 + i % 15] ^= id.bytes()[i];
  return StatelessResetToken(token);
}

raw::Bytes PuppetStage::PuppetParameterBlock(
    const ConnectionId& source, const std::optional<ConnectionId>& original_destination) const {
  if (options_.puppet_parameter_block.has_value()) return *options_.puppet_parameter_block;
  TransportParameters parameters = options_.puppet_parameters;
  parameters.initial_source_connection_id = source;
  parameters.original_destination_connection_id = original_destination;
  if (options_.edit_parameters != nullptr) options_.edit_parameters(parameters);
  raw::Bytes block(EncodedSize(parameters));
  ByteWriter writer(block);
  WriteTransportParameters(parameters, Opposite(options_.subject), {}, writer);
  return block;
}

void PuppetStage::StartServer() {
  const ConnectionId client_id = NewId(options_.puppet_id_bytes);
  const ConnectionId server_id = NewId(options_.subject_id_bytes);
  const ConnectionId original = NewId(8);
  const raw::Bytes block = PuppetParameterBlock(client_id, std::nullopt);
  auto session = options_.clients->NewSession(
      {.server_name = options_.server_name, .local_transport_parameters = block}, now_);
  GODWIT_CHECK(session.ok());
  puppet_ = std::make_unique<PuppetPeer>(
      Perspective::kClient,
      PuppetPeer::Ids{.local = client_id, .remote = original, .original_destination = original},
      *std::move(session));
  auto subject = Connection::Accept(options_.config,
                                    {.four_tuple = first_path_,
                                     .local_cid = server_id,
                                     .local_cid_token = TokenOf(server_id),
                                     .original_destination = original,
                                     .peer_cid = client_id},
                                    *options_.servers,
                                    {.random = &random_,
                                     .events = this,
                                     .pools = &pools_,
                                     .scratch = &scratch_,
                                     .controller = FindCongestionControllerFactory({}, kCubic)},
                                    now_);
  GODWIT_CHECK(subject.ok());
  subject_ = *std::move(subject);
  given_ids_.push_back(server_id);
}

void PuppetStage::StartClient() {
  const ConnectionId client_id = NewId(options_.subject_id_bytes);
  const ConnectionId server_id = NewId(options_.puppet_id_bytes);
  const ConnectionId original = NewId(8);
  auto subject = Connection::Connect(options_.config,
                                     {.four_tuple = first_path_,
                                      .local_cid = client_id,
                                      .initial_destination = original,
                                      .server_name = options_.server_name,
                                      .resumption_ticket = {}},
                                     *options_.clients,
                                     {.random = &random_,
                                      .events = this,
                                      .pools = &pools_,
                                      .scratch = &scratch_,
                                      .controller = FindCongestionControllerFactory({}, kCubic)},
                                     now_);
  GODWIT_CHECK(subject.ok());
  subject_ = *std::move(subject);
  given_ids_.push_back(client_id);
  const raw::Bytes block = PuppetParameterBlock(server_id, original);
  auto session = options_.servers->NewSession({.local_transport_parameters = block});
  GODWIT_CHECK(session.ok());
  puppet_ = std::make_unique<PuppetPeer>(
      Perspective::kServer,
      PuppetPeer::Ids{.local = server_id, .remote = client_id, .original_destination = original},
      *std::move(session));
}

// ---- Addresses ----

FourTuple PuppetStage::PathWithPuppetPort(uint16_t number) const {
  FourTuple path = first_path_;
  path.peer = SocketAddress::FromIpv4(path.peer.ip().first<4>(),
                                      static_cast<uint16_t>(path.peer.port() + number));
  return path;
}

FourTuple PuppetStage::PathWithPuppetIp(uint8_t number) const {
  FourTuple path = first_path_;
  std::array<uint8_t, 4> ip = {203, 0, 113, number};
  path.peer = SocketAddress::FromIpv4(ip, path.peer.port());
  return path;
}

// ---- To the connection ----

void PuppetStage::DeliverBatch(std::vector<raw::Bytes> datagrams, EcnMark ecn) {
  std::vector<ReceivedDatagram> views;
  for (raw::Bytes& datagram : datagrams) {
    views.push_back({.payload = datagram, .four_tuple = path_, .ecn = ecn, .received_at = now()});
  }
  subject_->OnDatagrams(views, now_);
  AfterStep();
}

void PuppetStage::SendPacket(const PuppetPacket& packet) {
  PuppetPacket padded = packet;
  if (packet.level == EncryptionLevel::kInitial && options_.subject == Perspective::kServer) {
    padded.min_size = std::max(padded.min_size, kMinInitialDatagramBytes);
  }
  Deliver(puppet_->Seal(padded));
}

// What an endpoint does after each call.
void PuppetStage::AfterStep() {
  while (const std::optional<ConnectionEvent> event = subject_->PollEvent()) {
    events_.push_back(*event);
  }
  subject_->KeepBorrowed();
  if (options_.gives_connection_ids) {
    while (subject_->wanted_connection_ids() != 0) {
      const ConnectionId id = NewId(options_.subject_id_bytes);
      given_ids_.push_back(id);
      subject_->AddConnectionId(id, TokenOf(id));
    }
  }
  while (subject_->PollRetiredConnectionId(now()).has_value()) continue;
  subject_->CheckInvariants();
}

// ---- From the connection ----

void PuppetStage::Pump() {
  constexpr int kMaxTransmits = 100'000;
  for (int i = 0; i < kMaxTransmits; ++i) {
    const Transmit transmit = subject_->PollTransmit(transmit_buffer_, now());
    if (transmit.payload.empty()) {
      subject_->CheckInvariants();
      return;
    }
    bytes_to_[transmit.four_tuple] += transmit.payload.size();
    for (size_t segment = 0; segment < transmit.segment_count(); ++segment) {
      outbox_.push_back(puppet_->Read(transmit.segment(segment), transmit.four_tuple, now_));
    }
  }
  GODWIT_CHECK(false);  // It never stops to send.
}

std::vector<SeenDatagram> PuppetStage::Take() {
  Pump();
  return std::exchange(outbox_, {});
}

uint64_t PuppetStage::Discard() {
  uint64_t bytes = 0;
  while (true) {
    const Transmit transmit = subject_->PollTransmit(transmit_buffer_, now());
    if (transmit.payload.empty()) return bytes;
    bytes += transmit.payload.size();
    bytes_to_[transmit.four_tuple] += transmit.payload.size();
  }
}

uint64_t PuppetStage::bytes_to(const FourTuple& path) const {
  const auto entry = bytes_to_.find(path);
  return entry == bytes_to_.end() ? 0 : entry->second;
}

// ---- Both ----

void PuppetStage::Sleep(Duration duration) { now_.now = now_.now + duration; }

void PuppetStage::Advance(Duration duration) {
  const Timestamp end = now() + duration;
  constexpr int kMaxTimeouts = 100'000;
  for (int i = 0; i < kMaxTimeouts; ++i) {
    Pump();
    const Timestamp deadline = subject_->next_deadline();
    if (deadline > end) {
      now_.now = end;
      return;
    }
    now_.now = std::max(now(), deadline);
    subject_->OnTimeout(now_);
    AfterStep();
  }
  GODWIT_CHECK(false);  // A deadline stays in the past.
}

void PuppetStage::Settle() {
  constexpr int kMaxRounds = 50;
  for (int i = 0; i < kMaxRounds; ++i) {
    Pump();
    const std::vector<raw::Bytes> flight = puppet_->Flight();
    for (const raw::Bytes& datagram : flight) Deliver(datagram);
    if (flight.empty()) return;
  }
  GODWIT_CHECK(false);  // They talk for ever.
}

void PuppetStage::CompleteHandshake() {
  Settle();
  if (options_.subject == Perspective::kClient) {
    Send(raw::HandshakeDone());
    Settle();
  }
  GODWIT_CHECK(subject_->is_handshake_confirmed());
  // Acknowledgments that need not be sent at once.
  Advance(Duration::Milliseconds(50));
  Settle();
  outbox_.clear();
}

// ---- Records ----

size_t PuppetStage::CountEvents(ConnectionEvent::Kind kind) const {
  return static_cast<size_t>(std::ranges::count(events_, kind, &ConnectionEvent::kind));
}

size_t PuppetStage::CountEvents(StreamEvent::Kind kind) const {
  return static_cast<size_t>(std::ranges::count_if(events_, [kind](const ConnectionEvent& event) {
    return event.kind == ConnectionEvent::Kind::kStream && event.stream.kind == kind;
  }));
}

raw::Bytes PuppetStage::ReadAll(StreamId id) {
  raw::Bytes data;
  while (true) {
    std::array<std::span<const uint8_t>, 4> views;
    const absl::StatusOr<size_t> count = subject_->PeekStream(id, views);
    if (!count.ok() || *count == 0) return data;
    size_t size = 0;
    for (size_t i = 0; i < *count; ++i) {
      raw::Append(data, views[i]);
      size += views[i].size();
    }
    GODWIT_CHECK(subject_->ConsumeStream(id, size, now()).ok());
  }
}

// ---- Looking through what was sent ----

size_t CountFrames(const std::vector<SeenDatagram>& datagrams, FrameKind kind) {
  size_t count = 0;
  for (const SeenDatagram& datagram : datagrams) {
    for (const SeenPacket& packet : datagram.packets) {
      count += static_cast<size_t>(std::ranges::count_if(
          packet.frames, [kind](const Frame& frame) { return frame.kind() == kind; }));
    }
  }
  return count;
}

size_t CountPackets(const std::vector<SeenDatagram>& datagrams) {
  size_t count = 0;
  for (const SeenDatagram& datagram : datagrams) count += datagram.packets.size();
  return count;
}

raw::Bytes StreamDataOf(const std::vector<SeenDatagram>& datagrams, StreamId id) {
  raw::Bytes data;
  for (const SeenDatagram& datagram : datagrams) {
    for (const SeenPacket& packet : datagram.packets) {
      for (const Frame& frame : packet.frames) {
        if (frame.kind() != FrameKind::kStream) continue;
        const StreamFrame& stream = frame.As<StreamFrame>();
        if (stream.stream_id != id || stream.offset_bytes > data.size()) continue;
        const uint64_t end = stream.offset_bytes + stream.data.size();
        if (end <= data.size()) continue;
        raw::Append(data, stream.data.subspan(data.size() - stream.offset_bytes));
      }
    }
  }
  return data;
}

}  // namespace godwit
