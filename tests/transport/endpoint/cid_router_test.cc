// SPDX-License-Identifier: Apache-2.0
#include "transport/endpoint/cid_router.h"

#include <array>
#include <cstdint>
#include <map>
#include <vector>

#include "gtest/gtest.h"

#include "base/seeded_random.h"

namespace godwit {
namespace {

ConnectionId Id(const std::vector<uint8_t>& bytes) { return *ConnectionId::FromBytes(bytes); }

SocketAddress Address(std::string_view text) { return *SocketAddress::Parse(text); }

class CidRouterTest : public testing::Test {
 protected:
  SeededRandom random_{1};
  CidRouter router_{random_};
};

TEST_F(CidRouterTest, IdLeadsToItsSlot) {
  ASSERT_TRUE(router_.Add(Id({1, 2, 3, 4}), 7));
  ASSERT_TRUE(router_.Add(Id({1, 2, 3, 5}), 8));

  EXPECT_EQ(router_.Find(Id({1, 2, 3, 4}).bytes()), 7);
  EXPECT_EQ(router_.Find(Id({1, 2, 3, 5}).bytes()), 8);
  EXPECT_EQ(router_.Find(Id({1, 2, 3, 6}).bytes()), std::nullopt);
}

TEST_F(CidRouterTest, IdsThatDifferOnlyByTrailingZerosAreTwo) {
  ASSERT_TRUE(router_.Add(Id({1, 2, 3, 4}), 7));

  EXPECT_EQ(router_.Find(Id({1, 2, 3, 4, 0}).bytes()), std::nullopt);
}

TEST_F(CidRouterTest, ConnectionHasAnyNumberOfIds) {
  for (uint8_t i = 0; i < 9; ++i) ASSERT_TRUE(router_.Add(Id({9, 9, 9, i}), 3));

  for (uint8_t i = 0; i < 9; ++i) EXPECT_EQ(router_.Find(Id({9, 9, 9, i}).bytes()), 3);
  EXPECT_EQ(router_.entry_count(), 9);
}

TEST_F(CidRouterTest, IdInUseIsNotAddedAgain) {
  ASSERT_TRUE(router_.Add(Id({1, 2, 3, 4}), 7));

  EXPECT_FALSE(router_.Add(Id({1, 2, 3, 4}), 8));
  EXPECT_EQ(router_.Find(Id({1, 2, 3, 4}).bytes()), 7);
}

TEST_F(CidRouterTest, RemovedIdLeadsNowhere) {
  ASSERT_TRUE(router_.Add(Id({1, 2, 3, 4}), 7));

  router_.Remove(Id({1, 2, 3, 4}));

  EXPECT_EQ(router_.Find(Id({1, 2, 3, 4}).bytes()), std::nullopt);
  EXPECT_EQ(router_.entry_count(), 0);
}

TEST_F(CidRouterTest, BytesThatAreNoIdLeadNowhere) {
  const std::array<uint8_t, 255> long_id = {};

  EXPECT_EQ(router_.Find(long_id), std::nullopt);
  EXPECT_EQ(router_.Find({}), std::nullopt);
}

TEST_F(CidRouterTest, AddressesLeadToTheirSlot) {
  const FourTuple here = {Address("192.0.2.1:1000"), Address("192.0.2.9:443")};
  const FourTuple other_port = {Address("192.0.2.1:1001"), Address("192.0.2.9:443")};
  ASSERT_TRUE(router_.AddAddresses(here, 5));

  EXPECT_EQ(router_.FindByAddresses(here), 5);
  EXPECT_EQ(router_.FindByAddresses(other_port), std::nullopt);
  EXPECT_FALSE(router_.AddAddresses(here, 6));

  router_.RemoveAddresses(here);
  EXPECT_EQ(router_.FindByAddresses(here), std::nullopt);
}

TEST_F(CidRouterTest, WildcardStandsForEveryLocalAddressOfItsPort) {
  const SocketAddress peer4 = Address("192.0.2.9:443");
  const SocketAddress peer6 = Address("[2001:db8::9]:443");
  ASSERT_TRUE(router_.AddAddresses({Address("0.0.0.0:1000"), peer4}, 5));
  ASSERT_TRUE(router_.AddAddresses({Address("[::]:1000"), peer6}, 6));

  EXPECT_EQ(router_.FindByAddresses({Address("192.0.2.1:1000"), peer4}), 5);
  EXPECT_EQ(router_.FindByAddresses({Address("[2001:db8::1]:1000"), peer6}), 6);
  EXPECT_EQ(router_.FindByAddresses({Address("192.0.2.1:1001"), peer4}), std::nullopt);
}

TEST_F(CidRouterTest, ExactAddressComesBeforeTheWildcard) {
  const SocketAddress peer = Address("192.0.2.9:443");
  ASSERT_TRUE(router_.AddAddresses({Address("0.0.0.0:1000"), peer}, 5));
  ASSERT_TRUE(router_.AddAddresses({Address("192.0.2.1:1000"), peer}, 6));

  EXPECT_EQ(router_.FindByAddresses({Address("192.0.2.1:1000"), peer}), 6);
  EXPECT_EQ(router_.FindByAddresses({Address("192.0.2.2:1000"), peer}), 5);
}

TEST_F(CidRouterTest, BehavesLikeASortedMap) {
  std::map<ConnectionId, uint32_t> naive;
  SeededRandom choices(2);

  for (uint32_t step = 0; step < 50'000; ++step) {
    // Few bytes, so that the same ids come again; sizes 1 to 20.
    std::vector<uint8_t> bytes(1 + choices.UniformBelow(20), 0);
    bytes.front() = static_cast<uint8_t>(choices.UniformBelow(4));
    bytes.back() = static_cast<uint8_t>(choices.UniformBelow(4));
    const ConnectionId id = Id(bytes);
    const auto found = naive.find(id);
    ASSERT_EQ(router_.Find(id.bytes()),
              found == naive.end() ? std::nullopt : std::optional(found->second));
    if (choices.UniformBelow(2) == 0) {
      ASSERT_EQ(router_.Add(id, step), naive.emplace(id, step).second);
    } else if (found != naive.end()) {
      router_.Remove(id);
      naive.erase(found);
    }
    ASSERT_EQ(router_.entry_count(), naive.size());
  }
}

}  // namespace
}  // namespace godwit
