// SPDX-License-Identifier: Apache-2.0
#include "tunnel/client_link.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

#include "tunnel/fingerprint.h"
#include "tunnel/tunnel_transport.h"

namespace godwit::tunnel {
namespace {

// A burst of changes is one; what the kernel says first may not be of use yet.
constexpr Duration kAfterNetworkChange = Duration::Milliseconds(300);
// A connection that stood so long was a good one.
constexpr Duration kGoodConnection = Duration::Seconds(5);
// RFC 9000 §20.1: CRYPTO_ERROR, 0x0100 and a TLS alert.
constexpr uint64_t kFirstCryptoError = 0x100;
constexpr uint64_t kLastCryptoError = 0x1ff;

absl::string_view View(std::string_view text) { return {text.data(), text.size()}; }

bool IsTlsRefusal(const CloseReason& reason) {
  return reason.cause == CloseReason::Cause::kPeerTransportError &&
         reason.error_code >= kFirstCryptoError && reason.error_code <= kLastCryptoError;
}

}  // namespace

absl::StatusOr<std::unique_ptr<ClientLink>> ClientLink::Create(Options options) {
  std::unique_ptr<ClientLink> link(new ClientLink(std::move(options)));
  if (absl::Status status = link->Open(); !status.ok()) return status;
  return link;
}

ClientLink::ClientLink(Options options)
    : options_(std::move(options)), verifier_({options_.config.server_key}), backoff_(&random_) {}

ClientLink::~ClientLink() {
  session_.reset();
  if (client_ == nullptr) return;
  if (timer_.has_value()) loop().Cancel(*timer_);
  if (probe_timer_.has_value()) loop().Cancel(*probe_timer_);
  probe_.reset();
  if (watcher_.has_value()) loop().UnwatchFd(watcher_->fd());
}

absl::Status ClientLink::Open() {
  const TunnelCommonConfig& common = options_.config.common;
  ClientConfig config;
  config.endpoint = TransportConfig(common);
  config.tls.server_verification = PeerVerification::Application(&verifier_);
  config.tls.application_protocols = {std::string(kTunnelProtocol)};
  config.tls.certificate = TlsIdentity(common.identity);
  if (!common.keylog_file.empty()) {
    auto key_log = KeyLogFile::Open(common.keylog_file, options_.log);
    if (!key_log.ok()) return key_log.status();
    key_log_ = *std::move(key_log);
    config.tls.export_session_secrets = true;
  }
  auto client = Client::Create(config, this);
  if (!client.ok()) return client.status();
  client_ = *std::move(client);
  auto resolver = NameResolver::Create(&loop());
  if (!resolver.ok()) return resolver.status();
  resolver_ = *std::move(resolver);
  WatchNetwork();
  return absl::OkStatus();
}

void ClientLink::Start() { Dial(); }

void ClientLink::Close() {
  has_ended_ = true;
  if (timer_.has_value()) loop().Cancel(*std::exchange(timer_, std::nullopt));
  if (session_ != nullptr) static_cast<void>(session_->connection().Close(0, ""));
}

TunnelSession* ClientLink::session() const {
  return session_ != nullptr && session_->is_established() ? session_.get() : nullptr;
}

void ClientLink::FillStatus(TunnelStatus& status) const {
  status.is_up = session() != nullptr;
  status.connections = connections_;
  status.last_error = last_error_;
  status.bytes = past_bytes_;
  status.flows_opened = past_flows_;
  if (session() == nullptr) return;
  status.up_for = client_->loop().now() - established_at_;
  status.peers.push_back(StatusOf(*session_, status.up_for));
  Add(session_->totals(), status.bytes);
  status.flows_opened += session_->flows_opened();
}

// ---- The network ----

void ClientLink::WatchNetwork() {
  auto watcher = NetworkWatcher::Open();
  if (!watcher.ok()) {
    return Log(LogLevel::kWarning, absl::StrCat("changes of the network are not noticed: ",
                                                watcher.status().message()));
  }
  watcher_.emplace(*std::move(watcher));
  const absl::Status watched = loop().WatchFd(watcher_->fd(), {.readable = true}, [this](FdEvents) {
    if (watcher_->ReadChanges()) OnNetworkChanged();
  });
  if (!watched.ok()) watcher_.reset();
}

void ClientLink::OnNetworkChanged() {
  if (probe_timer_.has_value()) return;
  probe_timer_ = loop().CallAt(loop().now() + kAfterNetworkChange, [this] {
    probe_timer_.reset();
    backoff_.Reset();
    // A packet tells the server where we are now, and us whether it hears us.
    if (session() != nullptr) return session_->SendControl(Probe{});
    if (!timer_.has_value()) return;
    loop().Cancel(*std::exchange(timer_, std::nullopt));
    Dial();
  });
}

// ---- Connecting ----

void ClientLink::Dial() {
  if (is_dialling_ || has_ended_ || session_ != nullptr) return;
  is_dialling_ = true;
  before_dial_ = client_->socket_stats();
  const HostPort& server = options_.config.server;
  client_->Dial(server.host, server.port,
                [this](const absl::StatusOr<ConnectionRef>& result) { OnDialled(result); });
  if (was_established_) return;
  // A person waits for the first one, and need not if nobody can be heard of.
  probe_ = std::make_unique<RouteProbe>(&loop(), resolver_.get(), server,
                                        [this](const std::string& why) {
                                          if (is_dialling_) OnFailed(why);
                                        });
}

bool ClientLink::IsUnreachable() const {
  const UdpSocketStats& stats = client_->socket_stats();
  // Of the addresses of a name some may be reachable.
  const uint64_t nowhere = stats.lost.unreachable + stats.lost.invalid;
  return nowhere > before_dial_.lost.unreachable + before_dial_.lost.invalid &&
         stats.datagrams_sent == before_dial_.datagrams_sent;
}

void ClientLink::OnDialled(const absl::StatusOr<ConnectionRef>& connection) {
  is_dialling_ = false;
  probe_.reset();
  // OnConnected() follows.
  if (!connection.ok()) OnFailed(Explain(std::string(connection.status().message())));
}

void ClientLink::DialLater(const std::string& why) {
  if (has_ended_ || timer_.has_value()) return;
  const Duration wait = backoff_.Next();
  Log(LogLevel::kWarning,
      absl::StrFormat("%s; trying again in %.1f s", why, wait.ToSecondsDouble()));
  timer_ = loop().CallAt(loop().now() + wait, [this] {
    timer_.reset();
    Dial();
  });
}

void ClientLink::OnFailed(const std::string& why) {
  last_error_ = why;
  if (has_ended_) return;
  if (!was_established_) {
    has_ended_ = true;
    return options_.on_first_failed(absl::UnavailableError(why));
  }
  DialLater(why);
}

std::string ClientLink::Explain(const std::string& why) {
  const HostPort& server = options_.config.server;
  const std::string name = absl::StrCat(server.host, " port ", server.port);
  if (const auto shown = verifier_.TakeRefused()) {
    return absl::StrCat(name, ": ", DescribeMismatch(options_.config.server_key, *shown));
  }
  if (IsUnreachable()) return absl::StrCat("no route to ", name);
  if (why.find(ToString(CloseReason::Cause::kHandshakeTimeout)) != std::string::npos) {
    return absl::StrCat(
        "no answer from ", name, " within ",
        TransportConfig(options_.config.common).connection.handshake_timeout.ToMilliseconds() /
            1'000,
        " s: the server does not run there, or UDP is blocked on the way; try another port of it, "
        "such as 443");
  }
  return why;
}

void ClientLink::NoteEstablished() {
  was_established_ = true;
  established_at_ = loop().now();
  ++connections_;
  last_error_.clear();
}

// ---- Events ----

void ClientLink::OnConnected(ConnectionRef connection) {
  session_ =
      std::make_unique<TunnelSession>(TunnelSession::Options{.loop = &loop(),
                                                             .resolver = resolver_.get(),
                                                             .policy = options_.policy,
                                                             .connection = connection,
                                                             .perspective = Perspective::kClient});
  session_->Start();
}

void ClientLink::OnClosed(ConnectionRef connection, const CloseReason& reason) {
  if (SessionOf(connection) == nullptr) return;
  const bool was_up = session_->is_established();
  session_->Lose();
  Add(session_->totals(), past_bytes_);
  past_flows_ += session_->flows_opened();
  session_.reset();
  if (was_up && loop().now() - established_at_ >= kGoodConnection) backoff_.Reset();
  std::string why =
      absl::StrCat("the connection to the server is lost: ", View(ToString(reason.cause)));
  if (!reason.reason.empty()) absl::StrAppend(&why, ": ", reason.reason);
  // TLS 1.3 has a client know only now that it was refused.
  if (!was_up && IsTlsRefusal(reason)) {
    why = absl::StrCat("the server does not accept our key; add there: --allow-client ",
                       FormatFingerprint(options_.config.common.identity.fingerprint));
  }
  OnFailed(why);
}

void ClientLink::OnStreamOpened(ConnectionRef connection, StreamId stream) {
  if (auto* const session = SessionOf(connection)) session->OnStreamOpened(stream);
}
void ClientLink::OnStreamReadable(ConnectionRef connection, StreamId stream) {
  if (auto* const session = SessionOf(connection)) session->OnStreamReadable(stream);
}
void ClientLink::OnStreamFinished(ConnectionRef connection, StreamId stream) {
  if (auto* const session = SessionOf(connection)) session->OnStreamReadable(stream);
}
void ClientLink::OnStreamReset(ConnectionRef connection, StreamId stream, uint64_t) {
  if (auto* const session = SessionOf(connection)) session->OnStreamReset(stream);
}
void ClientLink::OnStreamWritable(ConnectionRef connection, StreamId stream) {
  if (auto* const session = SessionOf(connection)) session->OnStreamWritable(stream);
}
void ClientLink::OnStreamStopped(ConnectionRef connection, StreamId stream, uint64_t) {
  if (auto* const session = SessionOf(connection)) session->OnStreamStopped(stream);
}
void ClientLink::OnStreamsAvailable(ConnectionRef connection, StreamDirection) {
  if (auto* const session = SessionOf(connection)) session->OnStreamsAvailable();
}
void ClientLink::OnDatagram(ConnectionRef connection) {
  if (auto* const session = SessionOf(connection)) session->OnDatagram();
}
void ClientLink::OnMaxDatagramPayloadChanged(ConnectionRef connection) {
  if (auto* const session = SessionOf(connection)) session->OnMaxDatagramPayloadChanged();
}
void ClientLink::OnKeyLogLine(std::string_view line) {
  if (key_log_ != nullptr) key_log_->Write(line);
}

TunnelSession* ClientLink::SessionOf(const ConnectionRef& connection) const {
  return session_ != nullptr && session_->connection() == connection ? session_.get() : nullptr;
}

void ClientLink::Log(LogLevel level, const std::string& line) const {
  if (options_.log) options_.log(level, line);
}

}  // namespace godwit::tunnel
