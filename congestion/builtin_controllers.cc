// SPDX-License-Identifier: Apache-2.0
#include "congestion/builtin_controllers.h"

#include <memory>

#include "congestion/cubic.h"
#include "congestion/new_reno.h"

namespace godwit {

namespace {

template <typename Controller>
class Factory final : public CongestionControllerFactory {
 public:
  constexpr Factory() = default;

  std::unique_ptr<CongestionController> Make(
      const CongestionControllerParams& params) const override {
    return std::make_unique<Controller>(params);
  }
};

// Without state, so that threads can share them; never destroyed, so that it does not matter when
// the last user goes.
template <typename Controller>
const CongestionControllerFactory* FactoryOf() {
  static const auto* const factory = new Factory<Controller>();
  return factory;
}

}  // namespace

const CongestionControllerFactory* FindCongestionControllerFactory(
    const CongestionControllerRegistry& registry, std::string_view name) {
  if (name == kCubic) return FactoryOf<Cubic>();
  if (name == kNewReno) return FactoryOf<NewReno>();
  return registry.Find(name);
}

}  // namespace godwit
