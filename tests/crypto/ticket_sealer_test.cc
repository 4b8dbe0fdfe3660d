// SPDX-License-Identifier: Apache-2.0
#include "crypto/ticket_sealer.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "absl/status/status.h"
#include "gtest/gtest.h"

#include "base/seeded_random.h"
#include "crypto/boringssl.h"
#include "crypto/secret_key.h"

namespace godwit {
namespace {

using Bytes = std::vector<uint8_t>;

class TicketSealerTest : public ::testing::Test {
 protected:
  SecretKey NewKey() { return SecretKey::Generate(random_); }

  Bytes Seal(const TicketSealer& sealer, const Bytes& session) {
    Bytes ticket(session.size() + TicketSealer::kOverhead);
    EXPECT_EQ(sealer.Seal(session, random_, ticket), ticket.size());
    return ticket;
  }

  static std::optional<Bytes> Open(const TicketSealer& sealer, const Bytes& ticket) {
    Bytes session(ticket.size());
    const std::optional<size_t> size = sealer.Open(ticket, session);
    EXPECT_EQ(ERR_peek_error(), 0u);
    if (!size) return std::nullopt;
    session.resize(*size);
    return session;
  }

  SeededRandom random_{1};
  const SecretKey key_ = NewKey();
  const TicketSealer sealer_ = TicketSealer::Create({{key_}}).value();
  const Bytes session_ = {'s', 'e', 's', 's', 'i', 'o', 'n'};
};

TEST_F(TicketSealerTest, SealedSessionsOpen) {
  for (const size_t size : {0, 1, 100, 5000}) {
    const Bytes session(size, 7);

    EXPECT_EQ(Open(sealer_, Seal(sealer_, session)), session);
  }
}

TEST_F(TicketSealerTest, BuffersMayBeginAtTheSamePlace) {
  Bytes buffer(session_.size() + TicketSealer::kOverhead);
  std::copy(session_.begin(), session_.end(), buffer.begin());

  ASSERT_EQ(sealer_.Seal(std::span(buffer).first(session_.size()), random_, buffer), buffer.size());
  EXPECT_EQ(Open(sealer_, buffer), session_);
  const std::optional<size_t> size = sealer_.Open(buffer, buffer);

  ASSERT_EQ(size, session_.size());
  EXPECT_TRUE(std::equal(session_.begin(), session_.end(), buffer.begin()));
}

TEST_F(TicketSealerTest, TicketsOfOneSessionDiffer) {
  EXPECT_NE(Seal(sealer_, session_), Seal(sealer_, session_));
}

TEST_F(TicketSealerTest, EveryFlippedBitIsRefused) {
  const Bytes ticket = Seal(sealer_, session_);
  for (size_t bit = 0; bit < ticket.size() * 8; ++bit) {
    Bytes changed = ticket;
    changed[bit / 8] ^= static_cast<uint8_t>(1 << bit % 8);

    EXPECT_FALSE(Open(sealer_, changed).has_value()) << bit;
  }
}

TEST_F(TicketSealerTest, EveryCutIsRefused) {
  const Bytes ticket = Seal(sealer_, session_);
  for (size_t size = 0; size < ticket.size(); ++size) {
    EXPECT_FALSE(Open(sealer_, Bytes(ticket.begin(), ticket.begin() + static_cast<ptrdiff_t>(size)))
                     .has_value())
        << size;
  }
}

TEST_F(TicketSealerTest, TooSmallBuffersAreRefused) {
  const Bytes ticket = Seal(sealer_, session_);
  Bytes small(ticket.size() - 1);

  EXPECT_FALSE(sealer_.Seal(session_, random_, small).has_value());
  EXPECT_FALSE(sealer_.Open(ticket, small).has_value());
}

TEST_F(TicketSealerTest, OnlyListedKeysOpenAndTheFirstSeals) {
  const SecretKey new_key = NewKey();
  const TicketSealer both = TicketSealer::Create({{new_key, key_}}).value();
  const TicketSealer only_new = TicketSealer::Create({{new_key}}).value();

  EXPECT_EQ(Open(both, Seal(sealer_, session_)), session_);
  EXPECT_EQ(Open(only_new, Seal(both, session_)), session_);
  EXPECT_FALSE(Open(only_new, Seal(sealer_, session_)).has_value());
}

TEST_F(TicketSealerTest, KeysWithTheSameIdAreBothTried) {
  const uint8_t id = Seal(sealer_, session_)[0];
  std::optional<SecretKey> twin;
  while (!twin) {
    const SecretKey candidate = NewKey();
    if (Seal(TicketSealer::Create({{candidate}}).value(), session_)[0] == id) twin = candidate;
  }
  const TicketSealer both = TicketSealer::Create({{*twin, key_}}).value();

  EXPECT_EQ(Open(both, Seal(sealer_, session_)), session_);
}

TEST_F(TicketSealerTest, OneToEightKeysAreAccepted) {
  EXPECT_TRUE(absl::IsInvalidArgument(TicketSealer::Create({}).status()));
  EXPECT_TRUE(TicketSealer::Create(std::vector<SecretKey>(8, key_)).ok());
  EXPECT_TRUE(
      absl::IsInvalidArgument(TicketSealer::Create(std::vector<SecretKey>(9, key_)).status()));
}

}  // namespace
}  // namespace godwit
