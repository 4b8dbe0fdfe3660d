// SPDX-License-Identifier: Apache-2.0
#include "tunnel/tun_device.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <linux/ipv6.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"

namespace godwit::tunnel {
namespace {

constexpr char kTunFile[] = "/dev/net/tun";
constexpr size_t kMaxIpPacketBytes = 65'535;
constexpr int kPacketsAtOnce = 64;
// Less than any path of QUIC carries; the kernel refuses less than 68.
constexpr uint64_t kMinMtu = 576;
constexpr Duration kNarrowPatience = Duration::Seconds(10);

ifreq RequestFor(const std::string& name) {
  ifreq request = {};
  name.copy(request.ifr_name, IFNAMSIZ - 1);
  return request;
}

sockaddr_in ToIpv4(std::span<const uint8_t> ip) {
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  std::memcpy(&address.sin_addr, ip.data(), sizeof(address.sin_addr));
  return address;
}

std::array<uint8_t, 4> Ipv4Mask(int bits) {
  std::array<uint8_t, 4> mask = {};
  for (int i = 0; i < bits; ++i) mask[i / 8] |= 0x80 >> i % 8;
  return mask;
}

}  // namespace

absl::StatusOr<AddressRange> AddressOf(const TunInterface& interface) {
  const std::string& text = interface.address;
  const size_t slash = std::min(text.find('/'), text.size());
  const auto ip = SocketAddress::ParseIp(std::string_view(text).substr(0, slash), 0);
  int bits = -1;
  if (slash < text.size()) {
    const char* const end = text.data() + text.size();
    const auto read = std::from_chars(text.data() + slash + 1, end, bits);
    if (read.ec != std::errc() || read.ptr != end) bits = -1;
  }
  if (!ip.has_value() || bits < 0 || bits > static_cast<int>(ip->ip().size() * 8)) {
    return absl::InvalidArgumentError(absl::StrCat(
        "\"", text, "\" is no address with the length of its prefix, such as 10.7.0.2/24"));
  }
  return AddressRange{.base = *ip, .bits = bits};
}

absl::StatusOr<std::unique_ptr<TunDevice>> TunDevice::Open(Loop* loop,
                                                           const TunInterface& interface,
                                                           PacketCallback on_packet,
                                                           TunnelLog log) {
  const auto address = AddressOf(interface);
  if (!address.ok()) return address.status();
  std::unique_ptr<TunDevice> device(
      new TunDevice(loop, interface, *address, std::move(on_packet), std::move(log)));
  absl::Status status = device->Make();
  if (status.ok()) status = device->SetAddress();
  if (status.ok()) status = device->SetMtu(kMinIpv6Mtu);
  if (status.ok()) status = device->BringUp();
  if (!status.ok()) return status;
  status = loop->WatchFd(device->fd_.get(), {.readable = true},
                         [device = device.get()](FdEvents) { device->OnReadable(); });
  if (!status.ok()) return status;
  device->is_watched_ = true;
  return device;
}

TunDevice::TunDevice(Loop* loop, const TunInterface& interface, const AddressRange& address,
                     PacketCallback on_packet, TunnelLog log)
    : loop_(*loop),
      interface_(interface),
      address_(address),
      on_packet_(std::move(on_packet)),
      log_(std::move(log)) {}

TunDevice::~TunDevice() {
  if (narrow_timer_.has_value()) loop_.Cancel(*narrow_timer_);
  if (is_watched_) loop_.UnwatchFd(fd_.get());
}

absl::Status TunDevice::Failure(const std::string& what, int error) const {
  const std::string text =
      absl::StrCat("the interface ", interface_.name, ": ", what, ": ", std::strerror(error));
  if (error != EPERM && error != EACCES) return absl::InternalError(text);
  return absl::PermissionDeniedError(
      absl::StrCat(text, "; --tun needs the capability CAP_NET_ADMIN: run as root"));
}

absl::Status TunDevice::Make() {
  fd_ = UniqueFd(open(kTunFile, O_RDWR | O_NONBLOCK | O_CLOEXEC));
  if (!fd_.is_open()) {
    if (errno == EPERM || errno == EACCES) return Failure(kTunFile, errno);
    return absl::NotFoundError(absl::StrCat(kTunFile, ": ", std::strerror(errno),
                                            "; --tun needs the kernel's module tun: modprobe tun"));
  }
  ifreq request = RequestFor(interface_.name);
  request.ifr_flags = IFF_TUN | IFF_NO_PI;
  if (ioctl(fd_.get(), TUNSETIFF, &request) == 0) return absl::OkStatus();
  const std::string name = absl::StrCat("the interface ", interface_.name);
  if (errno == EBUSY) {
    return absl::FailedPreconditionError(
        absl::StrCat(name, " is in use by another process; choose another name with --tun"));
  }
  if (errno == EINVAL) {
    return absl::FailedPreconditionError(absl::StrCat(
        name, " exists and is of another kind; choose another name with --tun, such as tun0"));
  }
  return Failure("cannot make it", errno);
}

absl::Status TunDevice::SetAddress() {
  control_ =
      UniqueFd(socket(address_.base.is_ipv4() ? AF_INET : AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  const std::string what = absl::StrCat("cannot set the address ", interface_.address);
  if (!control_.is_open()) return Failure(what, errno);
  if (address_.base.is_ipv4()) {
    ifreq request = RequestFor(interface_.name);
    const sockaddr_in ip = ToIpv4(address_.base.ip());
    std::memcpy(&request.ifr_addr, &ip, sizeof(ip));
    if (ioctl(control_.get(), SIOCSIFADDR, &request) != 0) return Failure(what, errno);
    const sockaddr_in mask = ToIpv4(Ipv4Mask(address_.bits));
    std::memcpy(&request.ifr_netmask, &mask, sizeof(mask));
    if (ioctl(control_.get(), SIOCSIFNETMASK, &request) != 0) return Failure(what, errno);
    return absl::OkStatus();
  }
  in6_ifreq request = {};
  std::memcpy(&request.ifr6_addr, address_.base.ip().data(), sizeof(request.ifr6_addr));
  request.ifr6_prefixlen = static_cast<uint32_t>(address_.bits);
  request.ifr6_ifindex = static_cast<int>(if_nametoindex(interface_.name.c_str()));
  if (ioctl(control_.get(), SIOCSIFADDR, &request) != 0) return Failure(what, errno);
  return absl::OkStatus();
}

absl::Status TunDevice::SetMtu(uint64_t bytes) {
  ifreq request = RequestFor(interface_.name);
  request.ifr_mtu = static_cast<int>(bytes);
  if (ioctl(control_.get(), SIOCSIFMTU, &request) != 0) {
    return Failure(absl::StrCat("cannot set the MTU ", bytes), errno);
  }
  mtu_ = bytes;
  return absl::OkStatus();
}

absl::Status TunDevice::BringUp() {
  ifreq request = RequestFor(interface_.name);
  if (ioctl(control_.get(), SIOCGIFFLAGS, &request) != 0) return Failure("it is gone", errno);
  request.ifr_flags = static_cast<int16_t>(request.ifr_flags | IFF_UP | IFF_RUNNING);
  if (ioctl(control_.get(), SIOCSIFFLAGS, &request) != 0) {
    return Failure("cannot bring it up", errno);
  }
  return absl::OkStatus();
}

void TunDevice::SetMaxPacketBytes(uint64_t bytes) {
  const uint64_t least = address_.base.is_ipv6() ? kMinIpv6Mtu : kMinMtu;
  const uint64_t mtu = std::clamp<uint64_t>(bytes, least, kMaxIpPacketBytes);
  if (mtu != mtu_) {
    const absl::Status status = SetMtu(mtu);
    Log(status.ok() ? LogLevel::kDebug : LogLevel::kWarning,
        status.ok() ? absl::StrCat("the MTU of ", interface_.name, " is ", mtu)
                    : std::string(status.message()));
  }
  if (narrow_timer_.has_value()) loop_.Cancel(*std::exchange(narrow_timer_, std::nullopt));
  if (bytes >= mtu) return;
  // A path begins narrow, and is then found to be wider.
  narrow_timer_ = loop_.CallAt(loop_.now() + kNarrowPatience, [this, bytes, mtu] {
    narrow_timer_.reset();
    Log(LogLevel::kWarning,
        absl::StrCat("the path takes packets of ", bytes, " bytes and ", interface_.name,
                     " must let ", mtu, " through, as it has IPv6: larger ones are lost"));
  });
}

void TunDevice::Write(std::span<const uint8_t> packet) {
  const ssize_t written = write(fd_.get(), packet.data(), packet.size());
  static_cast<void>(written);
}

void TunDevice::Log(LogLevel level, const std::string& line) const {
  if (log_) log_(level, line);
}

void TunDevice::OnReadable() {
  thread_local std::array<uint8_t, kMaxIpPacketBytes> bytes;
  for (int i = 0; i < kPacketsAtOnce; ++i) {
    const ssize_t size = read(fd_.get(), bytes.data(), bytes.size());
    if (size > 0) {
      on_packet_(std::span(bytes).first(static_cast<size_t>(size)));
      continue;
    }
    if (size < 0 && (errno == EAGAIN || errno == EINTR)) return;
    // The interface was taken away from outside; nothing would ever come, and the loop never sleep.
    loop_.UnwatchFd(fd_.get());
    is_watched_ = false;
    Log(LogLevel::kError, absl::StrCat("the interface ", interface_.name, " is gone"));
    return;
  }
}

}  // namespace godwit::tunnel
