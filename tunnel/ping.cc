// SPDX-License-Identifier: Apache-2.0
#include "tunnel/ping.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

#include "godwit/client.h"
#include "godwit/event_handler.h"
#include "tunnel/fingerprint.h"
#include "tunnel/forward_spec.h"
#include "tunnel/key_verifier.h"
#include "tunnel/tunnel_message.h"
#include "tunnel/tunnel_transport.h"

namespace godwit::tunnel {
namespace {

// No kind of datagram that a tunnel has: it is dropped.
constexpr char kUnknownKind = '\xff';
// For the last words to the server.
constexpr Duration kGoodbye = Duration::Milliseconds(500);

double Milliseconds(Duration time) { return time.ToSecondsDouble() * 1e3; }

class Pinger final : public EventHandler {
 public:
  using Print = std::function<void(const std::string& line)>;

  Pinger(const PingOptions& options, const Print& print)
      : options_(options), print_(print), verifier_({options.server_key}) {}

  absl::Status Open(const Identity& identity) {
    TunnelCommonConfig common;
    ClientConfig config;
    config.endpoint = TransportConfig(common);
    config.tls.server_verification = PeerVerification::Application(&verifier_);
    config.tls.application_protocols = {std::string(kTunnelProtocol)};
    config.tls.certificate = TlsIdentity(identity);
    fingerprint_ = identity.fingerprint;
    auto client = Client::Create(config, this);
    if (!client.ok()) return client.status();
    client_ = *std::move(client);
    return absl::OkStatus();
  }

  absl::StatusOr<PingResult> Run() {
    dialled_at_ = Loop::Now();
    client_->Dial(options_.server.host, options_.server.port,
                  [this](const absl::StatusOr<ConnectionRef>& connection) {
                    if (!connection.ok()) End(Explain(connection.status()));
                  });
    client_->Run();
    client_->Shutdown(kGoodbye);
    if (!status_.ok()) return status_;
    return result_;
  }

  void OnConnected(ConnectionRef connection) override {
    connection_ = connection;
    connected_at_ = client_->loop().now();
    Tick();
  }

  void OnClosed(ConnectionRef, const CloseReason& reason) override {
    if (has_ended_) return;
    // TLS 1.3 has a client know only now that it was refused.
    if (reason.cause == CloseReason::Cause::kPeerTransportError && result_.answered == 0) {
      return End(absl::UnavailableError(
          absl::StrCat("the server does not accept our key; add there: --allow-client ",
                       FormatFingerprint(fingerprint_))));
    }
    End(absl::UnavailableError(
        absl::StrCat("the connection is lost: ", std::string(ToString(reason.cause)),
                     reason.reason.empty() ? "" : ": ", reason.reason)));
  }

  void OnDatagramFeedback(ConnectionRef connection, const DatagramFeedback& feedback) override {
    if (feedback.fate != DatagramFeedback::Fate::kAcked || probe_ != feedback.id) return;
    probe_.reset();
    const auto stats = connection.Stats();
    if (!stats.ok()) return;
    const Duration rtt = stats->latest_rtt;
    // Not before: only now it is certain that the server takes us.
    if (result_.answered == 0) PrintConnection();
    ++result_.answered;
    result_.shortest = std::min(result_.shortest, rtt);
    result_.longest = std::max(result_.longest, rtt);
    result_.sum += rtt;
    print_(absl::StrFormat("%d: rtt %.2f ms, mtu %d", result_.sent, Milliseconds(rtt),
                           stats->max_datagram_bytes));
  }

 private:
  void Tick() {
    if (has_ended_) return;
    if (probe_.has_value()) print_(absl::StrFormat("%d: no answer", result_.sent));
    probe_.reset();
    if (result_.sent == options_.count) return End(absl::OkStatus());
    ++result_.sent;
    // More than half of a packet.
    const std::string payload(connection_.max_datagram_payload_bytes() * 2 / 3, kUnknownKind);
    static_cast<void>(connection_.SendDatagram(payload));
    const auto id = connection_.SendDatagram(payload);
    if (!id.ok()) return End(id.status());
    probe_ = *id;
    client_->loop().CallAt(client_->loop().now() + options_.interval, [this] { Tick(); });
  }

  void PrintConnection() {
    const auto info = connection_.Info();
    print_(absl::StrFormat("connected to %s in %.1f ms, its key is %s",
                           info.ok() ? info->four_tuple.peer.ToString() : "?",
                           Milliseconds(connected_at_ - dialled_at_),
                           FormatFingerprint(options_.server_key)));
  }

  void End(const absl::Status& status) {
    has_ended_ = true;
    status_ = status;
    client_->Stop();
  }

  absl::Status Explain(const absl::Status& why) {
    const std::string name = ToText(options_.server);
    if (const auto shown = verifier_.TakeRefused()) {
      return absl::UnavailableError(
          absl::StrCat(name, ": ", DescribeMismatch(options_.server_key, *shown)));
    }
    if (client_->socket_stats().lost.unreachable > 0) {
      return absl::UnavailableError(absl::StrCat("no route to ", name));
    }
    const std::string_view timeout = ToString(CloseReason::Cause::kHandshakeTimeout);
    if (absl::StrContains(why.message(), absl::string_view(timeout.data(), timeout.size()))) {
      return absl::UnavailableError(absl::StrFormat(
          "no answer from %s within %.0f s: the server does not run there, or UDP is blocked on "
          "the way; try another port of it, such as 443",
          name, (Loop::Now() - dialled_at_).ToSecondsDouble()));
    }
    return why;
  }

  const PingOptions& options_;
  const Print& print_;
  KeyVerifier verifier_;
  PublicKeyHash fingerprint_;
  std::unique_ptr<Client> client_;
  ConnectionRef connection_;
  Timestamp dialled_at_;
  Timestamp connected_at_;
  std::optional<uint64_t> probe_;  // That is not acknowledged yet.
  bool has_ended_ = false;
  absl::Status status_;
  PingResult result_;
};

}  // namespace

absl::StatusOr<PingResult> Ping(const PingOptions& options, const Identity& identity,
                                const std::function<void(const std::string& line)>& print) {
  Pinger pinger(options, print);
  const absl::Status status = pinger.Open(identity);
  if (!status.ok()) return status;
  return pinger.Run();
}

}  // namespace godwit::tunnel
