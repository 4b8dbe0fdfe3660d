// SPDX-License-Identifier: Apache-2.0
#include "tunnel/server_link.h"

#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

#include "tunnel/fingerprint.h"
#include "tunnel/tunnel_transport.h"

namespace godwit::tunnel {
namespace {

constexpr Duration kDrainLookInterval = Duration::Milliseconds(50);

absl::string_view View(std::string_view text) { return {text.data(), text.size()}; }

ReplyStatus StatusOfBind(const absl::Status& status) {
  if (absl::IsAlreadyExists(status)) return ReplyStatus::kAddressInUse;
  if (absl::IsPermissionDenied(status)) return ReplyStatus::kNotAllowed;
  if (absl::IsResourceExhausted(status)) return ReplyStatus::kTooMany;
  return ReplyStatus::kFailed;
}

Admission Refusal(ReplyStatus status, std::string text) {
  Admission admission;
  admission.refusal = OpenReply{.status = status, .address = {}, .text = std::move(text)};
  return admission;
}

}  // namespace

ServerLink::ServerLink(Loop* loop, const KeyVerifier* verifier,
                       std::unique_ptr<NameResolver> resolver, TunnelLog log)
    : loop_(*loop),
      verifier_(*verifier),
      resolver_(std::move(resolver)),
      log_(std::move(log)),
      began_at_(loop->now()),
      rules_(std::make_shared<ServerRules>()) {}

ServerLink::~ServerLink() {
  if (drain_timer_.has_value()) loop_.Cancel(*drain_timer_);
}

absl::Status ServerLink::OpenTun(const TunInterface& interface) {
  auto tun = ServerTun::Open(
      &loop_, interface,
      [this](ServerTun::Peer to, std::span<const uint8_t> packet) { SendIpPacket(to, packet); },
      log_);
  if (!tun.ok()) return tun.status();
  tun_ = *std::move(tun);
  return absl::OkStatus();
}

absl::Status ServerLink::OpenKeyLog(const std::string& path) {
  auto key_log = KeyLogFile::Open(path, log_);
  if (!key_log.ok()) return key_log.status();
  key_log_ = *std::move(key_log);
  return absl::OkStatus();
}

void ServerLink::SetRules(ServerRules rules) {
  rules_ = std::make_shared<const ServerRules>(std::move(rules));
  for (auto& [id, peer] : peers_) {
    if (verifier_.Allows(peer.key)) continue;
    static_cast<void>(peer.session->connection().Close(
        static_cast<uint64_t>(TunnelErrorCode::kKeyRevoked), "the key is not allowed any more"));
  }
}

void ServerLink::BeginDrain() {
  if (!std::exchange(is_draining_, true)) CloseIdleConnections();
}

void ServerLink::CloseIdleConnections() {
  drain_timer_.reset();
  for (auto& [id, peer] : peers_) {
    if (peer.session->tcp_flow_count() != 0) continue;
    static_cast<void>(peer.session->connection().Close(
        static_cast<uint64_t>(TunnelErrorCode::kNone), "the server ends"));
  }
  if (peers_.empty()) return;
  drain_timer_ = loop_.CallAt(loop_.now() + kDrainLookInterval, [this] { CloseIdleConnections(); });
}

TunnelStatus ServerLink::Status() const {
  TunnelStatus status;
  status.is_up = !is_draining_;
  status.up_for = loop_.now() - began_at_;
  status.bytes = past_bytes_;
  status.flows_opened = past_flows_;
  status.connections = connections_;
  for (const auto& [id, peer] : peers_) {
    status.peers.push_back(StatusOf(*peer.session, loop_.now() - peer.connected_at));
    Add(peer.session->totals(), status.bytes);
    status.flows_opened += peer.session->flows_opened();
  }
  return status;
}

// ---- What sessions ask ----

Admission ServerLink::Admit(const OpenTarget& request) {
  if (is_draining_) return Refusal(ReplyStatus::kFailed, "the server ends");
  if (rules_->targets.is_empty()) {
    const std::string& host = request.target.host;
    const bool is_ipv6 = host.find(':') != std::string::npos;
    return Refusal(
        ReplyStatus::kNotAllowed,
        absl::StrCat("the server allows no targets; add there: --allow-target ", is_ipv6 ? "[" : "",
                     host, is_ipv6 ? "]" : "", ":", request.target.port));
  }
  Admission admission;
  admission.protocol = request.protocol;
  admission.target = request.target;
  admission.gate = [rules = rules_](std::string_view host, const SocketAddress& resolved) {
    return rules->targets.AllowsAddress(host, resolved);
  };
  return admission;
}

Admission ServerLink::Admit(const OpenForward&) {
  return Refusal(ReplyStatus::kNotAllowed, "a server has no remote forwards");
}

void ServerLink::OnRefused(TunnelSession& session, const OpenReply& reply) {
  // Whoever can change that reads here.
  if (reply.status != ReplyStatus::kNotAllowed) return;
  const auto found = peers_.find(KeyOf(session.connection()));
  if (found == peers_.end()) return;
  Peer& peer = found->second;
  LogRefusal(peer.refusals,
             absl::StrCat("refused to ", FormatFingerprint(peer.key), ": ", reply.text));
}

void ServerLink::OnEstablished(TunnelSession& session) {
  const auto info = session.connection().Info();
  if (!info.ok()) return;
  Log(LogLevel::kInfo,
      absl::StrCat("client ",
                   FormatFingerprint(info->peer_public_key_hash.value_or(PublicKeyHash())),
                   " connected from ", info->four_tuple.peer.ToString()));
}

void ServerLink::OnBindRequest(TunnelSession& session, const BindRequest& request) {
  BindReply reply = {
      .forward_id = request.forward_id, .status = ReplyStatus::kOk, .address = {}, .text = {}};
  const auto found = peers_.find(KeyOf(session.connection()));
  if (found == peers_.end()) return;
  Peer& peer = found->second;
  if (is_draining_) {
    reply.status = ReplyStatus::kFailed;
    reply.text = "the server ends";
  } else if (!rules_->binds.AllowsBind(request.address)) {
    reply.status = ReplyStatus::kNotAllowed;
    reply.text =
        absl::StrCat("the server does not allow it; add there: ", AllowBindFlag(request.address));
  } else {
    auto bound = peer.listeners->Bind(request);
    if (absl::IsAlreadyExists(bound.status()) && TakeFromSameClient(peer, request)) {
      bound = peer.listeners->Bind(request);
    }
    if (bound.ok()) {
      reply.address = *bound;
    } else {
      reply.status = StatusOfBind(bound.status());
      reply.text = std::string(bound.status().message());
    }
  }
  if (reply.status != ReplyStatus::kOk) {
    LogRefusal(peer.refusals, absl::StrCat("not bound for a client: ", request.address.ToString(),
                                           ": ", reply.text));
  }
  session.SendControl(reply);
}

bool ServerLink::TakeFromSameClient(const Peer& peer, const BindRequest& request) {
  bool was_taken = false;
  for (auto& [id, other] : peers_) {
    if (&other == &peer || other.key != peer.key) continue;
    was_taken |= other.listeners->Release(request.protocol, request.address);
  }
  return was_taken;
}

void ServerLink::OnBindReply(TunnelSession& session, const BindReply&) {
  session.Fail("a server asks for no remote forwards");
}

// ---- IP packets ----

void ServerLink::OnIpPacket(TunnelSession& session, std::span<const uint8_t> packet) {
  const auto found = peers_.find(KeyOf(session.connection()));
  if (found == peers_.end()) return;
  Peer& peer = found->second;
  if (tun_ != nullptr) {
    return tun_->OnPacket(TunPeerOf(found->first), peer.key, session.max_ip_packet_bytes(), packet);
  }
  if (std::exchange(peer.was_told_of_no_tun, true)) return;
  Log(LogLevel::kWarning, absl::StrCat("client ", FormatFingerprint(peer.key),
                                       " sends IP packets, which are dropped; to take them, add: "
                                       "--tun NAME --address CIDR"));
}

void ServerLink::OnMaxIpPacketChanged(TunnelSession& session) {
  if (tun_ == nullptr) return;
  tun_->SetMaxPacketBytes(TunPeerOf(KeyOf(session.connection())), session.max_ip_packet_bytes());
}

void ServerLink::SendIpPacket(ServerTun::Peer to, std::span<const uint8_t> packet) {
  const auto found = peers_.find(
      Key{.slot = static_cast<uint32_t>(to >> 32), .generation = static_cast<uint32_t>(to)});
  if (found != peers_.end()) found->second.session->SendIpPacket(packet);
}

// ---- Events ----

void ServerLink::OnConnected(ConnectionRef connection) {
  const auto info = connection.Info();
  const PublicKeyHash key =
      info.ok() ? info->peer_public_key_hash.value_or(PublicKeyHash()) : PublicKeyHash();
  // The rules may have changed during the handshake.
  if (is_draining_ || !verifier_.Allows(key)) {
    static_cast<void>(
        connection.Close(static_cast<uint64_t>(TunnelErrorCode::kNone), "not accepted now"));
    return;
  }
  ++connections_;
  Peer peer = {.key = key, .connected_at = loop_.now(), .session = nullptr, .listeners = nullptr};
  peer.session =
      std::make_unique<TunnelSession>(TunnelSession::Options{.loop = &loop_,
                                                             .resolver = resolver_.get(),
                                                             .policy = this,
                                                             .connection = connection,
                                                             .perspective = Perspective::kServer});
  peer.listeners = std::make_unique<RemoteListeners>(&loop_, peer.session.get());
  peers_.insert_or_assign(KeyOf(connection), std::move(peer));
}

void ServerLink::OnClosed(ConnectionRef connection, const CloseReason& reason) {
  const auto found = peers_.find(KeyOf(connection));
  if (found == peers_.end()) {
    if (const auto refused = verifier_.TakeRefused()) {
      LogRefusal(strangers_, absl::StrCat("a client with the key ", FormatFingerprint(*refused),
                                          " was refused; to allow it, add: --allow-client ",
                                          FormatFingerprint(*refused)));
    }
    return;
  }
  Peer& peer = found->second;
  Log(LogLevel::kInfo, absl::StrCat("client ", FormatFingerprint(peer.key),
                                    " is gone: ", View(ToString(reason.cause)),
                                    reason.reason.empty() ? "" : ": ", reason.reason));
  peer.listeners.reset();
  if (tun_ != nullptr) tun_->Forget(TunPeerOf(found->first));
  peer.session->Lose();
  Add(peer.session->totals(), past_bytes_);
  past_flows_ += peer.session->flows_opened();
  peers_.erase(found);
}

void ServerLink::OnStreamOpened(ConnectionRef connection, StreamId stream) {
  if (auto* const session = SessionOf(connection)) session->OnStreamOpened(stream);
}
void ServerLink::OnStreamReadable(ConnectionRef connection, StreamId stream) {
  if (auto* const session = SessionOf(connection)) session->OnStreamReadable(stream);
}
void ServerLink::OnStreamFinished(ConnectionRef connection, StreamId stream) {
  if (auto* const session = SessionOf(connection)) session->OnStreamReadable(stream);
}
void ServerLink::OnStreamReset(ConnectionRef connection, StreamId stream, uint64_t) {
  if (auto* const session = SessionOf(connection)) session->OnStreamReset(stream);
}
void ServerLink::OnStreamWritable(ConnectionRef connection, StreamId stream) {
  if (auto* const session = SessionOf(connection)) session->OnStreamWritable(stream);
}
void ServerLink::OnStreamStopped(ConnectionRef connection, StreamId stream, uint64_t) {
  if (auto* const session = SessionOf(connection)) session->OnStreamStopped(stream);
}
void ServerLink::OnStreamsAvailable(ConnectionRef connection, StreamDirection) {
  if (auto* const session = SessionOf(connection)) session->OnStreamsAvailable();
}
void ServerLink::OnDatagram(ConnectionRef connection) {
  if (auto* const session = SessionOf(connection)) session->OnDatagram();
}
void ServerLink::OnMaxDatagramPayloadChanged(ConnectionRef connection) {
  if (auto* const session = SessionOf(connection)) session->OnMaxDatagramPayloadChanged();
}

void ServerLink::OnPathChanged(ConnectionRef connection) {
  const auto info = connection.Info();
  if (!info.ok()) return;
  Log(LogLevel::kInfo,
      absl::StrCat("client ",
                   FormatFingerprint(info->peer_public_key_hash.value_or(PublicKeyHash())),
                   " is now at ", info->four_tuple.peer.ToString()));
}

void ServerLink::OnKeyLogLine(std::string_view line) {
  if (key_log_ != nullptr) key_log_->Write(line);
}

TunnelSession* ServerLink::SessionOf(const ConnectionRef& connection) {
  const auto found = peers_.find(KeyOf(connection));
  return found == peers_.end() ? nullptr : found->second.session.get();
}

void ServerLink::LogRefusal(LogLimiter& limiter, const std::string& line) const {
  const std::optional<uint64_t> left_out = limiter.Admit(loop_.now());
  if (!left_out.has_value()) return;
  Log(LogLevel::kWarning,
      *left_out == 0 ? line : absl::StrCat(line, " (", *left_out, " more were refused before)"));
}

void ServerLink::Log(LogLevel level, const std::string& line) const {
  if (log_) log_(level, line);
}

}  // namespace godwit::tunnel
