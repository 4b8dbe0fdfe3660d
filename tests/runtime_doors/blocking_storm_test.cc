// SPDX-License-Identifier: Apache-2.0
//
// Eight threads that use one client, one connection and each other's streams in all ways at once,
// while the client or the listener ends: nobody waits for ever, and who waits learns why.
#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gtest/gtest.h"

#include "base/seeded_random.h"
#include "godwit/blocking.h"
#include "tests/runtime_doors/blocking_pair.h"

namespace godwit {
namespace {

constexpr int kThreads = 8;

bool IsOneOf(const absl::Status& status, std::initializer_list<absl::StatusCode> codes) {
  return std::ranges::find(codes, status.code()) != codes.end();
}

// What may come of a call in the storm: it succeeds, it is late, the peer's thread has dropped the
// stream, or it is all over.
bool IsExpected(const absl::Status& status) {
  return IsOneOf(status, {absl::StatusCode::kOk, absl::StatusCode::kDeadlineExceeded,
                          absl::StatusCode::kAborted, absl::StatusCode::kCancelled,
                          absl::StatusCode::kResourceExhausted});
}

// Does this and that with streams of the connection until it is over.
void UseUntilOver(BlockingConnection connection, uint64_t seed, std::atomic<int>* rounds) {
  SeededRandom random(seed);
  std::array<uint8_t, 3'000> bytes = {};
  for (absl::Status last; !absl::IsCancelled(last); ++*rounds) {
    const auto timeout = [&] {
      return Duration::Microseconds(static_cast<int64_t>(random.UniformBelow(2'000)));
    };
    absl::StatusOr<BlockingStream> stream =
        random.UniformBelow(2) == 0
            ? connection.OpenStream(StreamDirection::kBidirectional, timeout())
            : connection.AcceptStream(timeout());
    last = stream.status();
    EXPECT_TRUE(IsExpected(last)) << last;
    for (int i = 0; i < 4 && last.ok(); ++i) {
      switch (random.UniformBelow(6)) {
        case 0:
          last = stream->Write(std::span(bytes), timeout());
          break;
        case 1:
          last = stream->Read(bytes, timeout()).status();
          break;
        case 2:
          last = connection.SendDatagram(std::span(bytes).first(100));
          break;
        case 3:
          last = connection.ReceiveDatagram(timeout()).status();
          break;
        case 4:
          last = stream->Finish();
          i = 4;
          break;
        default:
          last = stream->WaitUntilDelivered(timeout());
          // It was not finished.
          if (absl::IsFailedPrecondition(last)) last = absl::OkStatus();
          break;
      }
      EXPECT_TRUE(IsExpected(last)) << last;
    }
  }
}

class BlockingStormTest : public testing::Test {
 protected:
  BlockingStormTest() {
    for (uint64_t i = 0; i < kThreads; ++i) {
      threads_.emplace_back(UseUntilOver, i % 2 == 0 ? pair_.client_side : pair_.server_side, i,
                            &rounds_);
    }
    while (rounds_ < 2'000) std::this_thread::yield();
  }
  void JoinAll() {
    for (std::thread& thread : threads_) thread.join();
  }

  BlockingPair pair_;
  std::atomic<int> rounds_ = 0;
  std::vector<std::thread> threads_;
};

TEST_F(BlockingStormTest, TheEndOfTheClientEndsAllCalls) {
  pair_.client.reset();

  JoinAll();

  EXPECT_EQ(pair_.server_side.close_reason()->cause, CloseReason::Cause::kPeerApplication);
}

TEST_F(BlockingStormTest, TheEndOfTheListenerEndsAllCalls) {
  pair_.listener.reset();

  JoinAll();

  EXPECT_EQ(pair_.client_side.close_reason()->cause, CloseReason::Cause::kPeerApplication);
}

TEST_F(BlockingStormTest, ACloseFromManyThreadsEndsAllCalls) {
  std::vector<std::thread> closing;
  for (uint64_t i = 0; i < 4; ++i) {
    closing.emplace_back([this, i] { EXPECT_TRUE(pair_.client_side.Close(i, "enough").ok()); });
  }
  for (std::thread& thread : closing) thread.join();

  JoinAll();

  EXPECT_EQ(pair_.server_side.close_reason()->reason, "enough");
}

TEST(BlockingDialStormTest, DialsOfManyThreadsEndAndLeaveNothing) {
  BlockingPair pair;
  const uint16_t port = pair.listener->local_address().port();
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&pair, port, i] {
      for (int round = 0; round < 20; ++round) {
        const bool is_patient = round % 2 == 0;
        const absl::Status status =
            pair.client
                ->Dial(is_patient || i % 2 == 0 ? "127.0.0.1" : "name.invalid", port,
                       is_patient ? Duration::Infinite() : Duration::Microseconds(100 * i))
                .status();
        EXPECT_TRUE(!is_patient || status.ok()) << status;
      }
    });
  }

  for (std::thread& thread : threads) thread.join();
  pair.client.reset();

  // All that were made have ended: the peer hears of each.
  for (;;) {
    auto accepted = pair.listener->Accept(Duration::Zero());
    if (!accepted.ok()) break;
    EXPECT_TRUE(absl::IsCancelled(accepted->AcceptStream().status()));
  }
}

}  // namespace
}  // namespace godwit
