// SPDX-License-Identifier: Apache-2.0
#include "godwit/congestion_controller.h"

#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace godwit {

namespace {

absl::string_view ToAbsl(std::string_view text) { return {text.data(), text.size()}; }

}  // namespace

absl::Status CongestionControllerRegistry::Register(std::string_view name,
                                                    const CongestionControllerFactory* factory) {
  if (name.empty()) {
    return absl::InvalidArgumentError("a congestion controller needs a name that is not empty");
  }
  if (factory == nullptr) {
    return absl::InvalidArgumentError(
        absl::StrCat("the factory of congestion controller \"", ToAbsl(name), "\" is null"));
  }
  if (name == kCubic || name == kNewReno || Find(name) != nullptr) {
    return absl::AlreadyExistsError(absl::StrCat("there is a congestion controller \"",
                                                 ToAbsl(name), "\" already; choose another name"));
  }
  entries_.push_back({std::string(name), factory});
  return absl::OkStatus();
}

const CongestionControllerFactory* CongestionControllerRegistry::Find(std::string_view name) const {
  for (const Entry& entry : entries_) {
    if (entry.name == name) return entry.factory;
  }
  return nullptr;
}

}  // namespace godwit
