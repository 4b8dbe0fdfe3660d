// SPDX-License-Identifier: Apache-2.0
#include "tunnel/socks5_server.h"

#include <errno.h>
#include <sys/socket.h>

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tunnel/socks5_codec.h"
#include "tunnel/socks5_udp_association.h"

namespace godwit::tunnel {
namespace {

// For what a client says before the tunnel has a part in it.
constexpr Duration kPatience = Duration::Seconds(30);
// Greeting and request at their largest, and data of clients that do not wait for the answer.
constexpr size_t kMaxBytesBeforeTunnel = 1'024;

}  // namespace

// ---- One client ----

class Socks5Server::Client : public std::enable_shared_from_this<Client> {
 public:
  Client(Socks5Server* server, uint64_t id, UniqueFd fd)
      : server_(*server), id_(id), fd_(std::move(fd)) {}
  ~Client() { Stop(); }

  void Start() {
    Loop& loop = server_.loop_;
    const absl::Status watched =
        loop.WatchFd(fd_.get(), {.readable = true}, [weak = weak_from_this()](FdEvents) {
          if (const auto self = weak.lock()) self->OnReadable();
        });
    if (!watched.ok()) return server_.OnClientOver(id_);
    is_watched_ = true;
    timer_ = loop.CallAt(loop.now() + kPatience, [this] {
      timer_.reset();
      server_.OnClientOver(id_);
    });
  }

 private:
  // Exactly as many bytes as the two messages have: what follows them is the flow's to read.
  void OnReadable() {
    std::array<uint8_t, kMaxBytesBeforeTunnel> bytes;
    const ssize_t got = recv(fd_.get(), bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_PEEK);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (got <= 0) return server_.OnClientOver(id_);
    const auto view = std::span<const uint8_t>(bytes).first(static_cast<size_t>(got));
    if (association_ != nullptr) return Take(view.size());
    const bool is_full = view.size() == bytes.size();
    const size_t taken = has_greeted_ ? OnRequest(view) : OnGreeting(view);
    if (is_over_) return;
    if (taken == 0 && (is_full || !Wait(view.size()))) return server_.OnClientOver(id_);
  }

  // The bytes seen are not enough: they are taken, or the loop would come back at once.
  bool Wait(size_t seen) {
    std::array<uint8_t, kMaxBytesBeforeTunnel> bytes;
    const ssize_t got = recv(fd_.get(), bytes.data(), seen, MSG_DONTWAIT);
    if (got <= 0) return false;
    begun_.insert(begun_.end(), bytes.begin(), bytes.begin() + got);
    return begun_.size() < kMaxBytesBeforeTunnel;
  }

  // `view` behind what was taken before.
  std::vector<uint8_t> Whole(std::span<const uint8_t> view) const {
    std::vector<uint8_t> whole = begun_;
    whole.insert(whole.end(), view.begin(), view.end());
    return whole;
  }

  // The first `size` bytes of the message were in begun_ and in the socket.
  void TakeMessage(size_t size) {
    Take(size - begun_.size());
    begun_.clear();
  }
  void Take(size_t size) {
    std::array<uint8_t, kMaxBytesBeforeTunnel> bytes;
    static_cast<void>(recv(fd_.get(), bytes.data(), size, MSG_DONTWAIT));
  }

  size_t OnGreeting(std::span<const uint8_t> view) {
    const Socks5Greeting greeting = ReadSocks5Greeting(Whole(view));
    if (greeting.progress == Socks5Progress::kNeedsMore) return 0;
    if (greeting.progress == Socks5Progress::kFailed) return End();
    TakeMessage(greeting.size);
    Send(EncodeSocks5Method(greeting.offers_no_authentication));
    if (!greeting.offers_no_authentication) return End();
    has_greeted_ = true;
    return greeting.size;
  }

  size_t OnRequest(std::span<const uint8_t> view) {
    Socks5Request request = ReadSocks5Request(Whole(view));
    if (request.progress == Socks5Progress::kNeedsMore) return 0;
    if (request.progress == Socks5Progress::kFailed) return End();
    TakeMessage(request.size);
    if (request.refusal != Socks5Reply::kSucceeded) {
      Send(EncodeSocks5Reply(request.refusal, SocketAddress()));
      return End();
    }
    if (request.command == Socks5Request::Command::kUdpAssociate) {
      Associate();
      return request.size;
    }
    Stop();
    TcpOpening opening = {
        .request = OpenTarget{.protocol = ForwardProtocol::kTcp, .target = request.target},
        .fd = std::move(fd_),
        .relays_before_reply = false,
        .on_reply = [](const OpenReply& reply) {
          return EncodeSocks5Reply(ToSocks5(reply.status), reply.address);
        }};
    const auto open_tcp = server_.door_.open_tcp;
    const size_t size = End();
    open_tcp(std::move(opening));
    return size;
  }

  void Associate() {
    StopTimer();
    auto association = Socks5UdpAssociation::Open(&server_.loop_, LocalAddressOf(fd_.get()),
                                                  PeerAddressOf(fd_.get()), server_.door_.udp);
    if (!association.ok()) {
      Send(EncodeSocks5Reply(Socks5Reply::kGeneralFailure, SocketAddress()));
      End();
      return;
    }
    association_ = *std::move(association);
    Send(EncodeSocks5Reply(Socks5Reply::kSucceeded, association_->address()));
  }

  void Send(std::string_view bytes) {
    static_cast<void>(send(fd_.get(), bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL));
  }

  size_t End() {
    is_over_ = true;
    server_.OnClientOver(id_);
    return 1;
  }

  void Stop() {
    StopTimer();
    if (std::exchange(is_watched_, false)) server_.loop_.UnwatchFd(fd_.get());
  }
  void StopTimer() {
    if (timer_.has_value()) server_.loop_.Cancel(*std::exchange(timer_, std::nullopt));
  }

  Socks5Server& server_;
  const uint64_t id_;
  UniqueFd fd_;
  std::vector<uint8_t> begun_;
  bool has_greeted_ = false;
  bool is_over_ = false;
  bool is_watched_ = false;
  std::optional<Loop::CallId> timer_;
  std::unique_ptr<Socks5UdpAssociation> association_;
};

// ---- All of them ----

absl::StatusOr<std::unique_ptr<Socks5Server>> Socks5Server::Open(Loop* loop,
                                                                 const SocketAddress& address,
                                                                 Door door) {
  std::unique_ptr<Socks5Server> server(new Socks5Server(loop, std::move(door)));
  auto listener = TcpListener::Open(
      loop, address, [server = server.get()](UniqueFd fd, const SocketAddress& peer) {
        server->OnAccepted(std::move(fd), peer);
      });
  if (!listener.ok()) return listener.status();
  server->listener_ = *std::move(listener);
  return server;
}

Socks5Server::Socks5Server(Loop* loop, Door door) : loop_(*loop), door_(std::move(door)) {}

Socks5Server::~Socks5Server() = default;

void Socks5Server::OnAccepted(UniqueFd fd, const SocketAddress&) {
  if (clients_.size() >= kMaxClients) return;
  const uint64_t id = ++last_id_;
  const auto client = std::make_shared<Client>(this, id, std::move(fd));
  clients_[id] = client;
  client->Start();
}

void Socks5Server::OnClientOver(uint64_t id) { clients_.erase(id); }

}  // namespace godwit::tunnel
