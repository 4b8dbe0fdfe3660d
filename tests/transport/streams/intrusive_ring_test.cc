// SPDX-License-Identifier: Apache-2.0

#include "transport/streams/intrusive_ring.h"

#include <array>
#include <vector>

#include "gtest/gtest.h"

namespace godwit {
namespace {

struct Node {
  int number;
  RingHook<Node> hook;
};

using Ring = IntrusiveRing<Node, &Node::hook>;

std::vector<int> Numbers(const Ring& ring) {
  std::vector<int> numbers;
  if (ring.empty()) return numbers;
  const Node* node = ring.front();
  do {
    numbers.push_back(node->number);
    node = Ring::Next(*node);
  } while (node != ring.front());
  return numbers;
}

class IntrusiveRingTest : public testing::Test {
 protected:
  void PushAll() {
    for (Node& node : nodes_) ring_.PushBack(node);
  }

  std::array<Node, 3> nodes_ = {{{1, {}}, {2, {}}, {3, {}}}};
  Ring ring_;
};

TEST_F(IntrusiveRingTest, NewRingIsEmpty) {
  EXPECT_TRUE(ring_.empty());
  EXPECT_EQ(ring_.front(), nullptr);
}

TEST_F(IntrusiveRingTest, NodesStandInTheOrderInWhichTheyJoined) {
  PushAll();

  EXPECT_EQ(Numbers(ring_), (std::vector<int>{1, 2, 3}));
}

TEST_F(IntrusiveRingTest, RotatingMakesTheFrontTheLast) {
  PushAll();

  ring_.Rotate();

  EXPECT_EQ(Numbers(ring_), (std::vector<int>{2, 3, 1}));
}

TEST_F(IntrusiveRingTest, ANodeThatJoinsARotatedRingIsTheLast) {
  ring_.PushBack(nodes_[0]);
  ring_.PushBack(nodes_[1]);
  ring_.Rotate();

  ring_.PushBack(nodes_[2]);

  EXPECT_EQ(Numbers(ring_), (std::vector<int>{2, 1, 3}));
}

TEST_F(IntrusiveRingTest, NodesLeaveFromAnywhere) {
  for (size_t leaver = 0; leaver < nodes_.size(); ++leaver) {
    PushAll();

    ring_.Remove(nodes_[leaver]);

    std::vector<int> expected = {1, 2, 3};
    expected.erase(expected.begin() + static_cast<std::ptrdiff_t>(leaver));
    EXPECT_EQ(Numbers(ring_), expected);
    EXPECT_FALSE(nodes_[leaver].hook.is_linked());
    while (!ring_.empty()) ring_.Remove(*ring_.front());
  }
}

TEST_F(IntrusiveRingTest, TheLastNodeLeavesAnEmptyRing) {
  ring_.PushBack(nodes_[0]);

  ring_.Remove(nodes_[0]);

  EXPECT_TRUE(ring_.empty());
}

}  // namespace
}  // namespace godwit
