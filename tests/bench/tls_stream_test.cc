// SPDX-License-Identifier: Apache-2.0
#include "bench/tls_stream.h"

#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "absl/status/statusor.h"
#include "gtest/gtest.h"

#include "bench/byte_stream.h"
#include "bench/emulator/file_descriptor.h"
#include "bench/transfer_options.h"

namespace godwit {
namespace {

using State = IoOutcome::State;

class TlsStreamTest : public testing::TestWithParam<CertificateKind> {
 protected:
  void SetUp() override {
    ASSERT_TRUE(client_context_.ok()) << client_context_.status();
    ASSERT_TRUE(server_context_.ok()) << server_context_.status();
    std::array<int, 2> fds;
    ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds.data()), 0);
    client_ = client_context_->NewStream(FileDescriptor(fds[0]));
    server_ = server_context_->NewStream(FileDescriptor(fds[1]));
    State client_state = State::kBlocked;
    State server_state = State::kBlocked;
    for (int i = 0; i < 10 && client_state == State::kBlocked; ++i) {
      client_state = client_->Handshake().state;
      server_state = server_->Handshake().state;
    }
    ASSERT_EQ(client_state, State::kProgress) << client_->failure();
    ASSERT_EQ(server_state, State::kProgress) << server_->failure();
  }

  const absl::StatusOr<TlsStreamContext> client_context_ =
      TlsStreamContext::Create(TransferRole::kClient);
  const absl::StatusOr<TlsStreamContext> server_context_ =
      TlsStreamContext::Create(TransferRole::kServer, GetParam());
  std::unique_ptr<ByteStream> client_;
  std::unique_ptr<ByteStream> server_;
  std::vector<uint8_t> buffer_ = std::vector<uint8_t>(ByteStream::kReadBufferBytes);
};

TEST_P(TlsStreamTest, BytesArriveAsTheyWereWritten) {
  std::vector<uint8_t> bytes(100'000);
  for (size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<uint8_t>(i * 7 / 3);

  EXPECT_EQ(client_->Write(bytes).bytes, bytes.size());
  const IoOutcome outcome = server_->Read(buffer_);

  EXPECT_EQ(outcome.state, State::kProgress);
  ASSERT_EQ(outcome.bytes, bytes.size());
  EXPECT_TRUE(std::equal(bytes.begin(), bytes.end(), buffer_.begin()));
}

// Nothing may be left inside: no event of the socket would tell of it.
TEST_P(TlsStreamTest, OneReadTakesAllRecordsAndTheEnd) {
  const std::vector<uint8_t> bytes(100'000);
  client_->Write(bytes);
  client_->End();

  const IoOutcome outcome = server_->Read(buffer_);

  EXPECT_EQ(outcome.state, State::kEnded);
  EXPECT_EQ(outcome.bytes, bytes.size());
}

// As when a server has no time between the client's last message of the handshake and its data.
TEST_P(TlsStreamTest, MoreThanABufferMayComeBehindTheHandshake) {
  std::array<int, 2> fds;
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds.data()), 0);
  const std::unique_ptr<ByteStream> client = client_context_->NewStream(FileDescriptor(fds[0]));
  const std::unique_ptr<ByteStream> server = server_context_->NewStream(FileDescriptor(fds[1]));
  client->Handshake();
  server->Handshake();
  ASSERT_EQ(client->Handshake().state, State::kProgress);
  const std::vector<uint8_t> bytes(100'000);
  size_t written = 0;
  const auto fill = [&] {
    while (client->Flush().state == State::kProgress && !client->needs_flush()) {
      written += client->Write(bytes).bytes;
    }
  };
  fill();
  ASSERT_EQ(server->Handshake().state, State::kProgress);
  fill();

  size_t read = 0;
  while (read < written) {
    const IoOutcome outcome = server->Read(buffer_);
    ASSERT_NE(outcome.state, State::kFailed) << server->failure();
    read += outcome.bytes;
    ASSERT_NE(client->Flush().state, State::kFailed);
  }

  EXPECT_GT(written, buffer_.size());
  EXPECT_EQ(read, written);
}

TEST_P(TlsStreamTest, OtherDirectionGoesOnAfterTheEndOfOne) {
  client_->End();
  ASSERT_EQ(server_->Read(buffer_).state, State::kEnded);

  const std::vector<uint8_t> bytes(1000);
  server_->Write(bytes);

  EXPECT_EQ(client_->Read(buffer_).bytes, bytes.size());
}

TEST_P(TlsStreamTest, RecordsThatTheSocketDoesNotTakeWaitForIt) {
  const std::vector<uint8_t> bytes(200'000);
  size_t written = 0;
  while (!client_->needs_flush()) written += client_->Write(bytes).bytes;

  EXPECT_EQ(client_->Flush().state, State::kBlocked);
  size_t read = 0;
  while (read < written) {
    const IoOutcome outcome = server_->Read(buffer_);
    ASSERT_NE(outcome.state, State::kFailed) << server_->failure();
    read += outcome.bytes;
    ASSERT_NE(client_->Flush().state, State::kFailed);
  }

  EXPECT_EQ(read, written);
  EXPECT_FALSE(client_->needs_flush());
}

TEST_P(TlsStreamTest, ConnectionThatIsCutIsNoEnd) {
  client_.reset();

  EXPECT_EQ(server_->Read(buffer_).state, State::kFailed);
  EXPECT_EQ(server_->failure(), "TLS: the peer broke off");
}

TEST_P(TlsStreamTest, CipherSuiteIsNamed) {
  EXPECT_EQ(client_->cipher(), server_->cipher());
  EXPECT_EQ(client_->cipher().substr(0, 4), "TLS_");
}

INSTANTIATE_TEST_SUITE_P(Certificates, TlsStreamTest,
                         testing::Values(CertificateKind::kEd25519, CertificateKind::kEcdsaP256));

}  // namespace
}  // namespace godwit
