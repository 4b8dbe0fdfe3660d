// SPDX-License-Identifier: Apache-2.0
//
// VersionInformation: the transport parameter version_information as a value. RFC 9368 §3.
//
// Its bytes are read, written and checked in transport_parameters.h; whether the version in it is
// the right one is decided in version_authentication.h.
#ifndef GODWIT_TRANSPORT_WIRE_VERSION_INFORMATION_H_
#define GODWIT_TRANSPORT_WIRE_VERSION_INFORMATION_H_

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <span>

#include "base/check.h"

namespace godwit {

// Available versions, in a fixed space: a peer may list a thousand, and a list of its choosing is
// no reason to allocate. More than these few no deployment speaks.
class VersionList {
 public:
  static constexpr size_t kMaxSize = 16;

  VersionList() = default;
  VersionList(std::initializer_list<uint32_t> versions) {
    for (const uint32_t version : versions) push_back(version);
  }

  void push_back(uint32_t version) {
    GODWIT_CHECK_LT(size_, kMaxSize);
    versions_[size_++] = version;
  }
  void pop_back() {
    GODWIT_CHECK_GT(size_, 0u);
    versions_[--size_] = 0;
  }

  size_t size() const { return size_; }
  bool is_full() const { return size_ == kMaxSize; }
  std::span<const uint32_t> versions() const { return std::span(versions_).first(size_); }
  bool Lists(uint32_t version) const {
    return std::ranges::find(versions(), version) != versions().end();
  }

  friend bool operator==(const VersionList&, const VersionList&) = default;

 private:
  std::array<uint32_t, kMaxSize> versions_{};  // 0 beyond size_.
  size_t size_ = 0;
};

// RFC 9368 §3.
struct VersionInformation {
  uint32_t chosen_version = 0;
  // Of a client in descending preference, of a server in no order and possibly none. Reserved
  // versions (0x?a?a?a?a) are among them. Of a longer list than fits, the first ones, and always
  // the chosen version if it was listed at all.
  VersionList available_versions;

  friend bool operator==(const VersionInformation&, const VersionInformation&) = default;
};

}  // namespace godwit

#endif  // GODWIT_TRANSPORT_WIRE_VERSION_INFORMATION_H_
