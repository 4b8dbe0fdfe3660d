// SPDX-License-Identifier: Apache-2.0
//
// The checker is checked: what it is there to find, it finds.
#include "tests/sim/delivery_ledger.h"

#include <vector>

#include "gtest/gtest.h"

#include "tests/sim/stream_content.h"

namespace godwit {
namespace {

constexpr LedgerKey kKey = {.pair = 1, .stream = 4, .sender = Perspective::kClient};

std::vector<uint8_t> Content(uint64_t offset, size_t size) {
  std::vector<uint8_t> bytes(size);
  ContentSource{kKey.stream, kKey.sender}.Fill(offset, bytes);
  return bytes;
}

class DeliveryLedgerTest : public testing::Test {
 protected:
  DeliveryLedgerTest() { ledger_.OnWritten(kKey, 100); }

  bool HasProblem() const { return !ledger_.problems().empty(); }

  DeliveryLedger ledger_;
};

TEST_F(DeliveryLedgerTest, DataInPiecesAndItsEndAreFine) {
  ledger_.OnFinished(kKey);
  ledger_.OnRead(kKey, Content(0, 33));
  ledger_.OnRead(kKey, Content(33, 67));
  EXPECT_FALSE(ledger_.IsSettled());
  ledger_.OnEndRead(kKey);

  EXPECT_FALSE(HasProblem());
  EXPECT_TRUE(ledger_.IsSettled());
}

TEST_F(DeliveryLedgerTest, AWrongByteIsFound) {
  std::vector<uint8_t> bytes = Content(0, 50);
  bytes[49] ^= 1;

  ledger_.OnRead(kKey, bytes);

  EXPECT_TRUE(HasProblem());
}

TEST_F(DeliveryLedgerTest, DataThatComesTwiceIsFound) {
  ledger_.OnRead(kKey, Content(0, 50));
  ledger_.OnRead(kKey, Content(0, 50));

  EXPECT_TRUE(HasProblem());
}

TEST_F(DeliveryLedgerTest, ASkippedByteIsFound) {
  ledger_.OnRead(kKey, Content(0, 50));
  ledger_.OnRead(kKey, Content(51, 49));

  EXPECT_TRUE(HasProblem());
}

TEST_F(DeliveryLedgerTest, DataOfTheOtherDirectionIsFound) {
  std::vector<uint8_t> bytes(50);
  ContentSource{kKey.stream, Perspective::kServer}.Fill(0, bytes);

  ledger_.OnRead(kKey, bytes);

  EXPECT_TRUE(HasProblem());
}

TEST_F(DeliveryLedgerTest, MoreThanWasWrittenIsFound) {
  ledger_.OnRead(kKey, Content(0, 101));

  EXPECT_TRUE(HasProblem());
}

TEST_F(DeliveryLedgerTest, AnEndThatComesEarlyIsFound) {
  ledger_.OnFinished(kKey);
  ledger_.OnRead(kKey, Content(0, 99));
  ledger_.OnEndRead(kKey);

  EXPECT_TRUE(HasProblem());
}

TEST_F(DeliveryLedgerTest, AnEndThatNobodyWroteIsFound) {
  ledger_.OnRead(kKey, Content(0, 100));
  ledger_.OnEndRead(kKey);

  EXPECT_TRUE(HasProblem());
}

TEST_F(DeliveryLedgerTest, AResetThatArrivesSettlesAStream) {
  ledger_.OnReset(kKey, 7);
  EXPECT_FALSE(ledger_.IsSettled());
  ledger_.OnResetRead(kKey, 7);

  EXPECT_FALSE(HasProblem());
  EXPECT_TRUE(ledger_.IsSettled());
}

TEST_F(DeliveryLedgerTest, AResetWithAnotherCodeIsFound) {
  ledger_.OnReset(kKey, 7);
  ledger_.OnResetRead(kKey, 8);

  EXPECT_TRUE(HasProblem());
}

TEST_F(DeliveryLedgerTest, AStopThatNobodyAskedForIsFound) {
  ledger_.OnStopRead(kKey, 3);

  EXPECT_TRUE(HasProblem());
}

TEST_F(DeliveryLedgerTest, ADatagramThatComesTwiceIsFound) {
  std::vector<uint8_t> bytes(40);
  ledger_.FillDatagram(Perspective::kClient, 0, bytes);
  ledger_.OnDatagramSent(1, Perspective::kClient, 0);

  ledger_.OnDatagramRead(1, Perspective::kClient, bytes);
  EXPECT_FALSE(HasProblem());
  ledger_.OnDatagramRead(1, Perspective::kClient, bytes);

  EXPECT_TRUE(HasProblem());
}

TEST(ContentSourceTest, FillAndByteAtAgree) {
  const ContentSource source = {.stream = 9, .sender = Perspective::kServer};
  std::vector<uint8_t> bytes(40);

  source.Fill(13, bytes);

  for (size_t i = 0; i < bytes.size(); ++i) EXPECT_EQ(bytes[i], source.ByteAt(13 + i));
}

}  // namespace
}  // namespace godwit
