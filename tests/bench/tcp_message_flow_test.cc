// SPDX-License-Identifier: Apache-2.0
#include "bench/tcp_message_flow.h"

#include <sys/socket.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "gtest/gtest.h"

#include "bench/byte_stream.h"
#include "bench/emulator/file_descriptor.h"
#include "bench/transfer_options.h"

namespace godwit {
namespace {

class Recorder final : public TcpMessageFlow::Handler {
 public:
  void OnReady(TcpMessageFlow&) override { ++ready; }
  void OnMessage(TcpMessageFlow& flow, size_t bytes) override {
    sizes.push_back(bytes);
    if (answers) flow.Send(std::vector<uint8_t>(2 * bytes));
  }

  int ready = 0;
  bool answers = false;
  std::vector<size_t> sizes;
};

class TcpMessageFlowTest : public testing::Test {
 protected:
  void SetUp() override {
    std::array<int, 2> fds;
    ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds.data()), 0);
    client_ = std::make_unique<TcpMessageFlow>(NewPlainStream(FileDescriptor(fds[0])),
                                               TransferRole::kClient, &at_client_);
    server_ = std::make_unique<TcpMessageFlow>(NewPlainStream(FileDescriptor(fds[1])),
                                               TransferRole::kServer, &at_server_);
  }

  // Until what either has said has arrived, as far as the sockets take it.
  void Exchange() {
    for (int i = 0; i < 20; ++i) {
      if (!client_->is_finished()) client_->Advance(buffer_);
      if (!server_->is_finished()) server_->Advance(buffer_);
    }
  }

  Recorder at_client_;
  Recorder at_server_;
  std::unique_ptr<TcpMessageFlow> client_;
  std::unique_ptr<TcpMessageFlow> server_;
  std::vector<uint8_t> buffer_ = std::vector<uint8_t>(ByteStream::kReadBufferBytes);
};

TEST_F(TcpMessageFlowTest, MessagesKeepTheirLengthsAndOrder) {
  Exchange();
  for (const size_t size : {3u, 0u, 70'000u, 1u}) client_->Send(std::vector<uint8_t>(size));

  Exchange();

  EXPECT_EQ(at_server_.sizes, (std::vector<size_t>{3, 0, 70'000, 1}));
  EXPECT_EQ(at_client_.ready, 1);
  EXPECT_EQ(at_server_.ready, 1);
}

TEST_F(TcpMessageFlowTest, AnswersLeaveWithTheSameStep) {
  at_server_.answers = true;
  Exchange();
  client_->Send(std::vector<uint8_t>(10));
  client_->Send(std::vector<uint8_t>(20));

  client_->Advance(buffer_);
  server_->Advance(buffer_);
  client_->Advance(buffer_);

  EXPECT_EQ(at_client_.sizes, (std::vector<size_t>{20, 40}));
}

// Each byte comes alone.
TEST_F(TcpMessageFlowTest, LengthMayComeInPieces) {
  std::array<int, 2> fds;
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds.data()), 0);
  const FileDescriptor peer(fds[0]);
  TcpMessageFlow flow(NewPlainStream(FileDescriptor(fds[1])), TransferRole::kServer, &at_server_);

  for (const uint8_t byte : {0, 0, 1, 0}) {
    ASSERT_EQ(send(peer.get(), &byte, 1, 0), 1);
    flow.Advance(buffer_);
  }
  EXPECT_TRUE(at_server_.sizes.empty());
  const std::vector<uint8_t> body(256);
  ASSERT_EQ(send(peer.get(), body.data(), body.size(), 0), 256);
  flow.Advance(buffer_);

  EXPECT_EQ(at_server_.sizes, std::vector<size_t>{256});
}

TEST_F(TcpMessageFlowTest, EndComesAfterWhatWasSentAndFinishesBoth) {
  Exchange();
  client_->Send(std::vector<uint8_t>(1'000'000));
  client_->End();

  Exchange();
  EXPECT_EQ(at_server_.sizes, std::vector<size_t>{1'000'000});
  EXPECT_TRUE(server_->is_finished());
  EXPECT_TRUE(server_->failure().empty());
  server_.reset();
  client_->Advance(buffer_);

  EXPECT_TRUE(client_->is_finished());
  EXPECT_TRUE(client_->failure().empty()) << client_->failure();
}

TEST_F(TcpMessageFlowTest, ServerThatEndsFirstIsAFailure) {
  Exchange();
  server_.reset();

  client_->Advance(buffer_);

  EXPECT_TRUE(client_->is_finished());
  EXPECT_FALSE(client_->failure().empty());
}

}  // namespace
}  // namespace godwit
