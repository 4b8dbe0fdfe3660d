// SPDX-License-Identifier: Apache-2.0
//
// Runs the programs of this example and checks that what docs/boringssl-and-openssl.md says of them
// is so. Arguments: the paths of clash and openssl_alone.
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <string>

#include "gtest/gtest.h"

#include "examples/openssl_clash/openssl_user.h"

namespace openssl_clash {
namespace {

// The sanitizers' runtimes take RTLD_DEEPBIND for a mistake and turn a crash into a report.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kIsSanitized = true;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
constexpr bool kIsSanitized = true;
#else
constexpr bool kIsSanitized = false;
#endif
#else
constexpr bool kIsSanitized = false;
#endif

std::string clash_path;
std::string alone_path;

struct Outcome {
  bool crashed = false;
  int status = 0;  // If it did not crash.
};

Outcome RunProgram(std::string program, std::string argument) {
  char* const argv[] = {program.data(), argument.empty() ? nullptr : argument.data(), nullptr};
  pid_t pid = 0;
  const int error = posix_spawn(&pid, program.c_str(), nullptr, nullptr, argv, environ);
  EXPECT_EQ(error, 0) << program;
  int wait_status = 0;
  EXPECT_EQ(waitpid(pid, &wait_status, 0), pid);
  return {.crashed = WIFSIGNALED(wait_status),
          .status = WIFEXITED(wait_status) ? WEXITSTATUS(wait_status) : -1};
}

class OpenSslClashTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (kIsSanitized) GTEST_SKIP() << "sanitizers change how libraries are loaded";
    const Outcome alone = RunProgram(alone_path, "");
    if (!alone.crashed && alone.status == kNotInstalled) {
      GTEST_SKIP() << kOpenSslLibrary << " is not installed";
    }
    EXPECT_FALSE(alone.crashed);
    EXPECT_EQ(alone.status, kWorked) << "OpenSSL does not even work without BoringSSL";
  }
};

TEST_F(OpenSslClashTest, OpenSslCrashesWhereItSeesBoringSsl) {
  const bool is_visible = RunProgram(clash_path, "visible").status == kWorked;

  const Outcome plain = RunProgram(clash_path, "plain");

  EXPECT_EQ(plain.crashed, is_visible);
}

TEST_F(OpenSslClashTest, DeepBindKeepsThemApart) {
  const Outcome outcome = RunProgram(clash_path, "deepbind");

  EXPECT_FALSE(outcome.crashed);
  EXPECT_EQ(outcome.status, kWorked);
}

TEST_F(OpenSslClashTest, NameSpaceOfItsOwnKeepsThemApart) {
  const Outcome outcome = RunProgram(clash_path, "dlmopen");

  EXPECT_FALSE(outcome.crashed);
  EXPECT_EQ(outcome.status, kWorked);
}

}  // namespace
}  // namespace openssl_clash

int main(int argc, char** argv) {
  ::testing::InitGoogleTest(&argc, argv);
  if (argc != 3) return 2;
  openssl_clash::clash_path = argv[1];
  openssl_clash::alone_path = argv[2];
  return RUN_ALL_TESTS();
}
