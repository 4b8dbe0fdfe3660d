// SPDX-License-Identifier: Apache-2.0
#include "platform/offload_report.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace godwit {
namespace {

absl::string_view ToText(OffloadState state) {
  const std::string_view text = ToString(state);
  return {text.data(), text.size()};
}

absl::string_view ToText(const std::optional<bool>& fact) {
  if (!fact.has_value()) return "unknown";
  return *fact ? "yes" : "no";
}

}  // namespace

std::string_view ToString(OffloadState state) {
  switch (state) {
    case OffloadState::kOn:
      return "on";
    case OffloadState::kUnsupported:
      return "not supported by this kernel";
    case OffloadState::kDisabledByConfig:
      return "off by configuration";
    case OffloadState::kDisabledByEnvironment:
      return "off by environment variable";
    case OffloadState::kFailed:
      return "off after a failure";
  }
  return "invalid";
}

std::string OffloadReport::ToText() const {
  std::string text = absl::StrCat(
      "kernel: ", kernel.major, ".", kernel.minor, "\nGSO: ", godwit::ToText(gso), ", trains of ",
      max_train_segments, " datagrams and ", max_train_bytes,
      " bytes at most\nGRO: ", godwit::ToText(gro), "\nECN: ", godwit::ToText(ecn), "\n");
  for (const SocketAddress& local : gso_failed_from) {
    std::string name = local.ToString();
    name.erase(name.rfind(':'));
    absl::StrAppend(&text, "GSO off for ", name, "\n");
  }
  for (const InterfaceOffload& interface : interfaces) {
    absl::StrAppend(&text, "interface ", interface.name, ": MTU ", interface.mtu_bytes,
                    ", cuts trains ", godwit::ToText(interface.segments_udp), ", checksums IPv4 ",
                    godwit::ToText(interface.checksums_ipv4), ", checksums IPv6 ",
                    godwit::ToText(interface.checksums_ipv6), ", merges received ",
                    godwit::ToText(interface.merges_received), "\n");
  }
  return text;
}

}  // namespace godwit
