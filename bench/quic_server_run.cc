// SPDX-License-Identifier: Apache-2.0
#include "bench/quic_server_run.h"

#include <cstdint>
#include <utility>

#include "bench/transfer_process.h"
#include "godwit/time.h"

namespace godwit {
namespace {

// As many as a client may ask for at once, and some.
constexpr uint64_t kMaxAtOnce = 20'000;

// For the client to close.
constexpr Duration kPatience = Duration::Seconds(120);

}  // namespace

EndpointConfig QuicServerRun::EndpointFor(const TransferOptions& options) {
  EndpointConfig endpoint;
  if (!options.congestion.empty()) endpoint.congestion_controller = options.congestion;
  endpoint.connection.streams.max_streams_bidi = kMaxAtOnce;
  endpoint.max_half_open = kMaxAtOnce;
  endpoint.max_accepts_per_second_per_source = 1'000'000;
  return endpoint;
}

ServerConfig QuicServerRun::ConfigFor(const TransferOptions& options,
                                      const TlsCertificate& certificate) {
  ServerConfig config;
  config.endpoint = EndpointFor(options);
  config.tls.certificates = {certificate};
  config.tls.tickets_per_handshake = 0;
  config.socket.local = options.address;
  return config;
}

absl::StatusOr<std::unique_ptr<QuicServerRun>> QuicServerRun::Create(
    const ServerConfig& config, const MakeHandler& make_handler) {
  std::unique_ptr<QuicServerRun> run(new QuicServerRun());
  auto server = Server::Create(config, [&](Loop& loop) { return make_handler(loop, *run); });
  if (!server.ok()) return server.status();
  run->server_ = *std::move(server);
  return run;
}

void QuicServerRun::Run() {
  server_->Start();
  AnnounceListening(server_->local_address());
  {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return is_over_; });
  }
  offloads_ = server_->OffloadText();
  server_->Shutdown(kPatience);
}

void QuicServerRun::TellOver() {
  const std::lock_guard lock(mutex_);
  is_over_ = true;
  changed_.notify_all();
}

}  // namespace godwit
