// SPDX-License-Identifier: Apache-2.0
#include "tunnel/key_log_file.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace godwit::tunnel {
namespace {

using ::testing::HasSubstr;

class KeyLogFileTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = ::testing::TempDir() + "/keylog.XXXXXX";
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    folder_ = name;
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::string Path(const std::string& name = "keys.log") const { return folder_ + "/" + name; }
  static std::string ContentOf(const std::string& path) {
    std::ostringstream text;
    text << std::ifstream(path).rdbuf();
    return text.str();
  }
  static mode_t ModeOf(const std::string& path) {
    struct stat facts = {};
    EXPECT_EQ(stat(path.c_str(), &facts), 0);
    return facts.st_mode & 0777;
  }
  TunnelLog Log() {
    return [this](LogLevel, const std::string& line) { log_.push_back(line); };
  }
  std::string ErrorOf(const std::string& path) {
    const auto file = KeyLogFile::Open(path, Log());
    EXPECT_FALSE(file.ok());
    return std::string(file.status().message());
  }

  std::string folder_;
  std::vector<std::string> log_;
};

TEST_F(KeyLogFileTest, LinesAreThereAtOnceInAFileOfItsOwnerAlone) {
  const mode_t mask = umask(0);
  const auto file = KeyLogFile::Open(Path(), Log());
  umask(mask);
  ASSERT_TRUE(file.ok()) << file.status();

  (*file)->Write("CLIENT_TRAFFIC_SECRET_0 01 02");
  (*file)->Write("SERVER_TRAFFIC_SECRET_0 01 03");

  EXPECT_EQ(ContentOf(Path()), "CLIENT_TRAFFIC_SECRET_0 01 02\nSERVER_TRAFFIC_SECRET_0 01 03\n");
  EXPECT_EQ(ModeOf(Path()), 0600);
  ASSERT_EQ(log_.size(), 1U);
  EXPECT_THAT(log_[0], HasSubstr(Path()));
}

TEST_F(KeyLogFileTest, WhatIsThereStays) {
  (*KeyLogFile::Open(Path(), nullptr))->Write("first");

  (*KeyLogFile::Open(Path(), nullptr))->Write("second");

  EXPECT_EQ(ContentOf(Path()), "first\nsecond\n");
}

TEST_F(KeyLogFileTest, AFileThatOthersCanReadIsRefused) {
  std::ofstream(Path()) << "theirs\n";
  for (const mode_t mode : {0644, 0620, 0602}) {
    ASSERT_EQ(chmod(Path().c_str(), mode), 0);
    EXPECT_THAT(ErrorOf(Path()), HasSubstr("chmod 600 " + Path())) << mode;
  }
  EXPECT_EQ(ContentOf(Path()), "theirs\n");
}

TEST_F(KeyLogFileTest, LinksFoldersAndPipesAreRefused) {
  std::ofstream(Path("target")) << "precious";
  ASSERT_EQ(chmod(Path("target").c_str(), 0600), 0);
  ASSERT_EQ(symlink(Path("target").c_str(), Path("link").c_str()), 0);
  ASSERT_EQ(mkfifo(Path("pipe").c_str(), 0600), 0);

  EXPECT_THAT(ErrorOf(Path("link")), HasSubstr("symbolic link"));
  EXPECT_THAT(ErrorOf(folder_), HasSubstr("--keylog"));
  EXPECT_THAT(ErrorOf(Path("pipe")), HasSubstr("--keylog"));
  EXPECT_THAT(ErrorOf(Path("no/folder")), HasSubstr("--keylog"));
  EXPECT_EQ(ContentOf(Path("target")), "precious");
}

TEST_F(KeyLogFileTest, AFailureToWriteIsToldOnceAndIsTheEnd) {
  const auto file = KeyLogFile::Open(Path(), Log());
  ASSERT_TRUE(file.ok()) << file.status();
  (*file)->Write("whole");
  log_.clear();
  // As a full disk.
  signal(SIGXFSZ, SIG_IGN);
  rlimit before = {};
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &before), 0);
  const rlimit small = {.rlim_cur = 8, .rlim_max = before.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &small), 0);

  (*file)->Write("cut short");
  (*file)->Write("lost");
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &before), 0);
  (*file)->Write("lost too");

  ASSERT_EQ(log_.size(), 1U);
  EXPECT_THAT(log_[0], HasSubstr("no more TLS secrets"));
  EXPECT_EQ(ContentOf(Path()), "whole\ncu");
}

}  // namespace
}  // namespace godwit::tunnel
