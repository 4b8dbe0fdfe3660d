// SPDX-License-Identifier: Apache-2.0
#include "congestion/builtin_controllers.h"

#include <memory>
#include <string_view>

#include "gtest/gtest.h"

#include "godwit/congestion_controller.h"

namespace godwit {
namespace {

class OtherFactory final : public CongestionControllerFactory {
 public:
  std::unique_ptr<CongestionController> Make(const CongestionControllerParams&) const override {
    return nullptr;
  }
};

TEST(BuiltinControllersTest, OwnControllersNeedNoRegistration) {
  const CongestionControllerRegistry registry;
  for (const std::string_view name : {kCubic, kNewReno}) {
    const CongestionControllerFactory* const factory =
        FindCongestionControllerFactory(registry, name);

    ASSERT_NE(factory, nullptr);
    EXPECT_EQ(factory->Make({})->name(), name);
    EXPECT_EQ(factory->Make({})->congestion_window_bytes(), 12'000);
  }
}

TEST(BuiltinControllersTest, ApplicationsControllersAreFoundByTheirName) {
  const OtherFactory factory;
  CongestionControllerRegistry registry;
  ASSERT_TRUE(registry.Register("other", &factory).ok());

  EXPECT_EQ(FindCongestionControllerFactory(registry, "other"), &factory);
  EXPECT_EQ(FindCongestionControllerFactory(registry, "another"), nullptr);
}

}  // namespace
}  // namespace godwit
