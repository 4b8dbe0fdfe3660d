// SPDX-License-Identifier: Apache-2.0
#include "tunnel/text_server.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "platform/event_loop.h"
#include "runtime/runtime_loop.h"
#include "tunnel/status_socket.h"

namespace godwit::tunnel {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

class TextServerTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = "/tmp/text_server.XXXXXX";  // Short enough for a socket's name.
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    folder_ = name;
    unsetenv("RUNTIME_DIRECTORY");
    setenv("XDG_RUNTIME_DIR", folder_.c_str(), 1);
    event_loop_ = EventLoop::Create().value();
    loop_ = std::make_unique<RuntimeLoop>(event_loop_.get());
  }
  void TearDown() override {
    server_.reset();
    std::filesystem::remove_all(folder_);
  }

  void Start(TextServer::Protocol protocol, const std::string& text) {
    socket_ = StatusSocket::Listen(folder_ + "/s", "test").value();
    server_ = std::make_unique<TextServer>(loop_.get(), protocol, [this, text] {
      ++answers_;
      return text;
    });
    ASSERT_TRUE(server_->Start(socket_.TakeFd()).ok());
  }

  UniqueFd Connect() const {
    UniqueFd fd(socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0));
    sockaddr_un address = {};
    address.sun_family = AF_UNIX;
    const std::string path = folder_ + "/s";
    std::copy(path.begin(), path.end(), address.sun_path);
    EXPECT_EQ(connect(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
    return fd;
  }

  void Say(const UniqueFd& fd, const std::string& text) {
    EXPECT_EQ(send(fd.get(), text.data(), text.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(text.size()));
  }

  // Until the server hangs up.
  std::string ReadAll(const UniqueFd& fd) {
    std::string text;
    std::array<char, 65'536> bytes;
    while (true) {
      const ssize_t got = recv(fd.get(), bytes.data(), bytes.size(), 0);
      if (got > 0) {
        text.append(bytes.data(), static_cast<size_t>(got));
      } else if (got == 0 || errno != EAGAIN) {
        return text;
      } else {
        event_loop_->RunOnce(Timestamp::Infinite());
      }
    }
  }

  std::string folder_;
  std::unique_ptr<EventLoop> event_loop_;
  std::unique_ptr<RuntimeLoop> loop_;
  StatusSocket socket_;
  std::unique_ptr<TextServer> server_;
  int answers_ = 0;
};

TEST_F(TextServerTest, APlainServerSaysItsTextAtOnceToEverybody) {
  Start(TextServer::Protocol::kPlain, "hello");
  const UniqueFd one = Connect();
  const UniqueFd other = Connect();

  EXPECT_EQ(ReadAll(one), "hello");
  EXPECT_EQ(ReadAll(other), "hello");
}

TEST_F(TextServerTest, ALongTextArrivesWhole) {
  const std::string text(4'000'000, 'x');
  Start(TextServer::Protocol::kPlain, text);
  const UniqueFd fd = Connect();

  EXPECT_EQ(ReadAll(fd).size(), text.size());
  EXPECT_EQ(answers_, 1);
}

TEST_F(TextServerTest, AnHttpServerAnswersAWholeRequest) {
  Start(TextServer::Protocol::kHttp, "metric 1\n");
  const UniqueFd fd = Connect();
  Say(fd, "GET /metrics HTTP/1.1\r\nHo");
  event_loop_->RunOnce(Timestamp::Infinite());
  event_loop_->RunOnce(Timestamp::Infinite());
  EXPECT_EQ(answers_, 0);
  Say(fd, "st: x\r\n\r\n");

  EXPECT_THAT(ReadAll(fd),
              AllOf(StartsWith("HTTP/1.0 200 OK\r\n"), HasSubstr("Content-Length: 9\r\n"),
                    EndsWith("\r\n\r\nmetric 1\n")));
}

TEST_F(TextServerTest, OtherMethodsAreRefused) {
  Start(TextServer::Protocol::kHttp, "metric 1\n");
  const UniqueFd fd = Connect();
  Say(fd, "POST / HTTP/1.1\r\n\r\n");

  EXPECT_THAT(ReadAll(fd), StartsWith("HTTP/1.0 405"));
  EXPECT_EQ(answers_, 0);
}

TEST_F(TextServerTest, ARequestWithoutEndIsHungUpOn) {
  Start(TextServer::Protocol::kHttp, "metric 1\n");
  const UniqueFd fd = Connect();
  Say(fd, std::string(TextServer::kMaxRequestBytes, 'x'));

  EXPECT_THAT(ReadAll(fd), IsEmpty());
}

TEST_F(TextServerTest, ConnectionsAreBounded) {
  Start(TextServer::Protocol::kHttp, "metric 1\n");
  std::vector<UniqueFd> fds;
  for (size_t i = 0; i < TextServer::kMaxConnections; ++i) {
    fds.push_back(Connect());
    event_loop_->RunOnce(Timestamp::Infinite());
  }

  const UniqueFd one_more = Connect();
  EXPECT_THAT(ReadAll(one_more), IsEmpty());

  Say(fds.front(), "GET / HTTP/1.0\r\n\r\n");
  EXPECT_THAT(ReadAll(fds.front()), StartsWith("HTTP/1.0 200"));
  const UniqueFd later = Connect();
  Say(later, "GET / HTTP/1.0\r\n\r\n");
  EXPECT_THAT(ReadAll(later), StartsWith("HTTP/1.0 200"));
}

TEST_F(TextServerTest, APeerThatHangsUpIsForgotten) {
  Start(TextServer::Protocol::kHttp, "metric 1\n");
  Connect().Close();
  event_loop_->RunOnce(Timestamp::Infinite());
  event_loop_->RunOnce(Timestamp::InfinitePast());

  const UniqueFd fd = Connect();
  Say(fd, "GET / HTTP/1.0\r\n\r\n");
  EXPECT_THAT(ReadAll(fd), StartsWith("HTTP/1.0 200"));
}

TEST_F(TextServerTest, StatusSocketsAreFoundAndAsked) {
  socket_ = StatusSocket::Listen("", "client").value();
  EXPECT_THAT(FindStatusSockets(), ::testing::Contains(socket_.path()));
  EXPECT_THAT(socket_.path(), StartsWith(folder_ + "/godwit-tunnel/client-"));
  const std::string path = socket_.path();
  server_ = std::make_unique<TextServer>(loop_.get(), TextServer::Protocol::kPlain,
                                         [] { return std::string("status"); });
  ASSERT_TRUE(server_->Start(socket_.TakeFd()).ok());

  std::string said;
  std::thread asker([&] {
    said = AskStatusSocket(path).value_or("nothing");
    event_loop_->Stop();
  });
  event_loop_->Run();
  asker.join();

  EXPECT_EQ(said, "status");
}

TEST_F(TextServerTest, AStatusSocketIsItsUsersAloneAndGoesWithItsOwner) {
  const std::string path = folder_ + "/s";
  {
    const StatusSocket socket = StatusSocket::Listen(path, "client").value();
    EXPECT_EQ(std::filesystem::status(path).permissions(), std::filesystem::perms(0600));
  }
  EXPECT_FALSE(std::filesystem::exists(path));
}

TEST_F(TextServerTest, ASocketThatAProcessLeftIsReplacedAndOneInUseIsNot) {
  const std::string path = folder_ + "/s";
  StatusSocket left = StatusSocket::Listen(path, "client").value();
  EXPECT_EQ(StatusSocket::Listen(path, "client").status().code(), absl::StatusCode::kAlreadyExists);

  left.TakeFd().Close();  // The file stays.

  EXPECT_TRUE(StatusSocket::Listen(path, "client").ok());
}

TEST_F(TextServerTest, AFileThatIsNoSocketIsNotReplaced) {
  const std::string path = folder_ + "/s";
  std::ofstream(path) << "precious";

  EXPECT_EQ(StatusSocket::Listen(path, "client").status().code(), absl::StatusCode::kAlreadyExists);

  EXPECT_EQ(std::filesystem::file_size(path), 8u);
}

TEST_F(TextServerTest, SocketsInAFolderThatOthersCanWriteToAreNotFound) {
  socket_ = StatusSocket::Listen("", "client").value();
  ASSERT_THAT(FindStatusSockets(), ::testing::Contains(socket_.path()));

  std::filesystem::permissions(folder_ + "/godwit-tunnel", std::filesystem::perms(0777));

  EXPECT_THAT(FindStatusSockets(), ::testing::Not(::testing::Contains(socket_.path())));
}

TEST_F(TextServerTest, WithoutDescriptorsItPausesAndGoesOnLater) {
  Start(TextServer::Protocol::kPlain, "hello");
  const UniqueFd fd = Connect();
  rlimit limit = {};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &limit), 0);
  const rlimit none = {.rlim_cur = 0, .rlim_max = limit.rlim_max};

  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &none), 0);
  event_loop_->RunOnce(Timestamp::InfinitePast());
  pollfd loop = {.fd = event_loop_->fd(), .events = POLLIN, .revents = 0};
  // A poll() of more descriptors than the limit fails.
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
  const int ready = poll(&loop, 1, 0);

  EXPECT_EQ(ready, 0) << "it would be woken up at once";
  EXPECT_EQ(ReadAll(fd), "hello");
}

TEST_F(TextServerTest, ErrorsOfStatusSocketsNameThePath) {
  EXPECT_THAT(std::string(StatusSocket::Listen("/none/s", "x").status().message()),
              HasSubstr("/none/s"));
  EXPECT_THAT(std::string(StatusSocket::Listen(std::string(200, 'x'), "x").status().message()),
              HasSubstr("too long"));
  EXPECT_THAT(std::string(AskStatusSocket("/none/s").status().message()),
              HasSubstr("no tunnel answers at \"/none/s\""));
}

}  // namespace
}  // namespace godwit::tunnel
