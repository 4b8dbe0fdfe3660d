// SPDX-License-Identifier: Apache-2.0
//
// NetworkWatcher: tells when the machine's network changes in a way that can matter to a
// connection: an address comes or goes, an interface goes up or down, a default route changes.
// Which path a connection uses then is decided elsewhere.
//
// The kernel reports far more than changes: lifetimes that router advertisements renew, wireless
// scans, tentative addresses. So this keeps what it knows of interfaces and addresses, and
// compares. Speaks rtnetlink (rtnetlink(7)); needs no privileges. Watches the network namespace it
// was opened in. One thread at a time.
#ifndef GODWIT_PLATFORM_NETWORK_WATCHER_H_
#define GODWIT_PLATFORM_NETWORK_WATCHER_H_

#include <cstdint>
#include <span>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/status/statusor.h"

#include "godwit/socket_address.h"

namespace godwit {

class NetworkWatcher {
 public:
  static absl::StatusOr<NetworkWatcher> Open();
  ~NetworkWatcher();
  NetworkWatcher(NetworkWatcher&& other) noexcept;
  NetworkWatcher& operator=(NetworkWatcher&& other) noexcept;

  // Readable when the kernel has something to say. Call ReadChanges() then.
  int fd() const { return fd_; }

  // Reads all that waits, without blocking. True if any of it can matter, however much it was: one
  // event, such as joining a network, often comes as a burst over a second or two, so who acts on
  // true may want to wait for the rest a little.
  bool ReadChanges();

 private:
  explicit NetworkWatcher(int fd) : fd_(fd) {}

  // An address without port, and the number of its interface.
  struct InterfaceAddress {
    SocketAddress address;
    uint32_t interface_index;

    friend bool operator==(const InterfaceAddress&, const InterfaceAddress&) = default;
    template <typename H>
    friend H AbslHashValue(H h, const InterfaceAddress& a) {
      return H::combine(std::move(h), a.address, a.interface_index);
    }
  };

  struct ReadResult {
    bool has_changed = false;
    bool has_lost = false;  // The kernel had more to say than fits.
  };

  void ReadState();
  // Reads all that waits.
  ReadResult Drain();
  bool OnMessages(std::span<const uint8_t> bytes);
  bool OnMessage(uint16_t type, std::span<const uint8_t> payload);
  bool OnLink(bool is_gone, std::span<const uint8_t> payload);
  bool OnAddress(bool is_gone, std::span<const uint8_t> payload);

  int fd_;
  absl::flat_hash_set<uint32_t> usable_links_;  // By number; up and running.
  absl::flat_hash_set<InterfaceAddress> addresses_;
};

}  // namespace godwit

#endif  // GODWIT_PLATFORM_NETWORK_WATCHER_H_
