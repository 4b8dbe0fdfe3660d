// SPDX-License-Identifier: Apache-2.0
//
// Finds the factory of a congestion controller by name: godwit's own, or one that the application
// registered. The registry of the public API cannot know godwit's own, which lie above it.
#ifndef GODWIT_CONGESTION_BUILTIN_CONTROLLERS_H_
#define GODWIT_CONGESTION_BUILTIN_CONTROLLERS_H_

#include <string_view>

#include "godwit/congestion_controller.h"

namespace godwit {

// Null if there is none of that name: the configuration is wrong. godwit's own factories live as
// long as the process.
[[nodiscard]] const CongestionControllerFactory* FindCongestionControllerFactory(
    const CongestionControllerRegistry& registry, std::string_view name);

}  // namespace godwit

#endif  // GODWIT_CONGESTION_BUILTIN_CONTROLLERS_H_
