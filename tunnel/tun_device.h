// SPDX-License-Identifier: Apache-2.0
//
// TunDevice: an interface of the kernel for IP packets that this process reads and writes
// (/dev/net/tun), with its address, prefix and MTU, up while this object lives. Who the packets go
// to is decided elsewhere.
//
// Best effort, as IP is: what the kernel does not take at once is lost. Threads: the loop's.
#ifndef GODWIT_TUNNEL_TUN_DEVICE_H_
#define GODWIT_TUNNEL_TUN_DEVICE_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "godwit/loop.h"
#include "tunnel/target_pattern.h"
#include "tunnel/tunnel_config.h"
#include "tunnel/tunnel_log.h"
#include "tunnel/unique_fd.h"

namespace godwit::tunnel {

// RFC 8200 §5: every link carries packets of this size, or IPv6 does not work on it. Also what an
// interface begins with.
inline constexpr uint64_t kMinIpv6Mtu = 1'280;

// The address of --address, and the length of its prefix.
absl::StatusOr<AddressRange> AddressOf(const TunInterface& interface);

class TunDevice {
 public:
  using PacketCallback = std::function<void(std::span<const uint8_t> packet)>;

  // `loop` outlives it. `on_packet` gets what the kernel sends through the interface, and must not
  // destroy it. Errors are one line each.
  static absl::StatusOr<std::unique_ptr<TunDevice>> Open(Loop* loop, const TunInterface& interface,
                                                         PacketCallback on_packet, TunnelLog log);
  ~TunDevice();
  TunDevice(const TunDevice&) = delete;
  TunDevice& operator=(const TunDevice&) = delete;

  // Into the kernel, as if it had come in through the interface.
  void Write(std::span<const uint8_t> packet);
  // Larger packets find no way. An interface with an IPv6 address stays at kMinIpv6Mtu, and larger
  // packets than that are lost; the log says so.
  void SetMaxPacketBytes(uint64_t bytes);

  [[nodiscard]] const AddressRange& address() const { return address_; }

 private:
  TunDevice(Loop* loop, const TunInterface& interface, const AddressRange& address,
            PacketCallback on_packet, TunnelLog log);

  absl::Status Make();
  absl::Status SetAddress();
  absl::Status SetMtu(uint64_t bytes);
  absl::Status BringUp();
  absl::Status Failure(const std::string& what, int error) const;
  void OnReadable();
  void Log(LogLevel level, const std::string& line) const;

  Loop& loop_;
  const TunInterface interface_;
  const AddressRange address_;
  const PacketCallback on_packet_;
  const TunnelLog log_;
  UniqueFd fd_;
  UniqueFd control_;  // A socket, as the kernel wants one to set interfaces with.
  uint64_t mtu_ = 0;
  bool is_watched_ = false;
  std::optional<Loop::CallId> narrow_timer_;
};

}  // namespace godwit::tunnel

#endif  // GODWIT_TUNNEL_TUN_DEVICE_H_
