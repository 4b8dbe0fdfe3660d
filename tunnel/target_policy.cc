// SPDX-License-Identifier: Apache-2.0
#include "tunnel/target_policy.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace godwit::tunnel {
namespace {

AddressRange V4(std::array<uint8_t, 4> ip, int bits) {
  return {SocketAddress::FromIpv4(ip, 0), bits};
}

AddressRange V6(uint8_t first, uint8_t second, uint8_t last, int bits) {
  std::array<uint8_t, 16> ip{};
  ip[0] = first;
  ip[1] = second;
  ip[15] = last;
  return {SocketAddress::FromIpv6(ip, 0), bits};
}

// The ranges that only a pattern within them opens. Disjoint.
const std::array<AddressRange, 11>& SpecialRanges() {
  static const std::array<AddressRange, 11> kRanges = {
      V4({127, 0, 0, 0}, 8),         // Loopback.
      V4({169, 254, 0, 0}, 16),      // Link-local, with the metadata services of clouds.
      V4({0, 0, 0, 0}, 8),           // "This network": Linux connects 0.0.0.0 to the loopback.
      V4({224, 0, 0, 0}, 4),         // Multicast.
      V4({255, 255, 255, 255}, 32),  // Broadcast.
      V6(0, 0, 1, 128),              // Loopback.
      V6(0, 0, 0, 128),              // As 0.0.0.0.
      V6(0xfe, 0x80, 0, 10),         // Link-local.
      V6(0xff, 0, 0, 8),             // Multicast.
      // Metadata services of clouds that stand among private addresses (RFC 4193): Amazon, Google.
      AddressRange{*SocketAddress::ParseIp("fd00:ec2::254", 0), 128},
      AddressRange{*SocketAddress::ParseIp("fd20:ce::254", 0), 128},
  };
  return kRanges;
}

const AddressRange* SpecialRangeOf(const SocketAddress& address) {
  const auto& ranges = SpecialRanges();
  const auto* const found =
      std::find_if(ranges.begin(), ranges.end(),
                   [&](const AddressRange& range) { return range.Holds(address); });
  return found == ranges.end() ? nullptr : found;
}

// RFC 6761 §6.3: these names are the loopback's by definition.
bool IsLocalhostName(std::string_view name) {
  return name == "localhost" || name.ends_with(".localhost");
}

// Whether `rule` speaks of nothing but what is in `special`, which holds `address`.
bool SpeaksOf(const TargetRule& rule, const AddressRange& special, const SocketAddress& address) {
  if (rule.host == TargetRule::Host::kAddresses) return special.Holds(rule.range);
  if (rule.host == TargetRule::Host::kAny) return false;
  return address.is_loopback() && IsLocalhostName(rule.name);
}

bool AllowsTarget(const TargetRule& rule, std::string_view asked_name,
                  const SocketAddress& address) {
  if (!rule.HoldsPort(address.port())) return false;
  switch (rule.host) {
    case TargetRule::Host::kAny:
      return true;
    case TargetRule::Host::kName:
    case TargetRule::Host::kNamesBelow:
      return rule.HoldsName(asked_name);
    case TargetRule::Host::kAddresses:
      return rule.range.Holds(address);
  }
  return false;
}

absl::StatusOr<std::vector<TargetRule>> ParseRules(const std::vector<TargetPattern>& patterns) {
  std::vector<TargetRule> rules;
  rules.reserve(patterns.size());
  for (const TargetPattern& pattern : patterns) {
    absl::StatusOr<TargetRule> rule = TargetRule::Parse(pattern);
    if (!rule.ok()) return rule.status();
    // ::ffff:10.0.0.0/104 is 10.0.0.0/8: addresses are judged as what they stand for.
    constexpr int kMappedBits = 96;
    if (rule->range.base.is_v4_mapped() && rule->range.bits >= kMappedBits) {
      rule->range = {rule->range.base.Unmapped(), rule->range.bits - kMappedBits};
    }
    rules.push_back(*std::move(rule));
  }
  return rules;
}

}  // namespace

absl::StatusOr<TargetPolicy> TargetPolicy::Parse(const std::vector<TargetPattern>& patterns) {
  absl::StatusOr<std::vector<TargetRule>> rules = ParseRules(patterns);
  if (!rules.ok()) return rules.status();
  TargetPolicy policy;
  policy.rules_ = *std::move(rules);
  return policy;
}

absl::StatusOr<TargetPolicy> TargetPolicy::ParseBinds(const std::vector<TargetPattern>& patterns) {
  absl::StatusOr<TargetPolicy> policy = Parse(patterns);
  if (!policy.ok()) return policy.status();
  for (size_t i = 0; i < patterns.size(); ++i) {
    const TargetRule::Host host = policy->rules_[i].host;
    if (host == TargetRule::Host::kName || host == TargetRule::Host::kNamesBelow) {
      return absl::InvalidArgumentError(
          absl::StrCat("bad pattern \"", patterns[i],
                       "\": one binds to addresses, not names; write ADDRESS:PORT, such as "
                       "127.0.0.1:8080, [::1]:8000-8999 or *:8080"));
    }
  }
  return policy;
}

bool TargetPolicy::AllowsAddress(std::string_view asked_host, const SocketAddress& resolved) const {
  const SocketAddress address = resolved.Unmapped();
  const std::string name = NormalisedName(asked_host);
  const AddressRange* const special = SpecialRangeOf(address);
  return std::any_of(rules_.begin(), rules_.end(), [&](const TargetRule& rule) {
    return AllowsTarget(rule, name, address) &&
           (special == nullptr || SpeaksOf(rule, *special, address));
  });
}

bool TargetPolicy::AllowsBind(const SocketAddress& address) const {
  const SocketAddress unmapped = address.Unmapped();
  return std::any_of(rules_.begin(), rules_.end(), [&](const TargetRule& rule) {
    return rule.HoldsPort(unmapped.port()) &&
           (rule.host == TargetRule::Host::kAny ||
            (rule.host == TargetRule::Host::kAddresses && rule.range.Holds(unmapped)));
  });
}

std::string AllowTargetFlag(std::string_view asked_host, const SocketAddress& resolved) {
  const SocketAddress address = resolved.Unmapped();
  const std::string by_name = absl::StrCat(NormalisedName(asked_host), ":", resolved.port());
  const absl::StatusOr<TargetPolicy> policy = TargetPolicy::Parse({by_name});
  const bool is_enough = policy.ok() && policy->AllowsAddress(asked_host, resolved);
  return absl::StrCat("--allow-target ", is_enough ? by_name : address.ToString());
}

std::string AllowBindFlag(const SocketAddress& address) {
  return absl::StrCat("--allow-bind ", address.Unmapped().ToString());
}

}  // namespace godwit::tunnel
