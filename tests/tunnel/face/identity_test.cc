// SPDX-License-Identifier: Apache-2.0
#include "tunnel/identity.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "tunnel/fingerprint.h"

namespace godwit::tunnel {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

class IdentityTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = ::testing::TempDir() + "/identity.XXXXXX";
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    folder_ = name;
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::string Path(const std::string& name = "key.pem") const { return folder_ + "/" + name; }
  Identity WriteNew() const {
    const Identity identity = NewIdentity(KeyKind::kEd25519).value();
    EXPECT_TRUE(WriteKeyFile(Path(), identity, false).ok());
    return identity;
  }
  static mode_t ModeOf(const std::string& path) {
    struct stat facts = {};
    EXPECT_EQ(stat(path.c_str(), &facts), 0);
    return facts.st_mode & 0777;
  }
  static std::string ContentOf(const std::string& path) {
    std::ostringstream text;
    text << std::ifstream(path).rdbuf();
    return text.str();
  }
  size_t FileCount() const {
    const std::filesystem::directory_iterator files(folder_);
    return static_cast<size_t>(std::distance(begin(files), end(files)));
  }

  std::string folder_;
};

TEST_F(IdentityTest, WhatIsWrittenIsReadBack) {
  for (const KeyKind kind : {KeyKind::kEd25519, KeyKind::kEcdsaP256}) {
    const Identity identity = NewIdentity(kind).value();
    ASSERT_TRUE(WriteKeyFile(Path(), identity, true).ok());

    const absl::StatusOr<Identity> loaded = LoadKeyFile(Path());

    ASSERT_TRUE(loaded.ok()) << loaded.status();
    EXPECT_EQ(loaded->fingerprint, identity.fingerprint);
    EXPECT_EQ(loaded->certificate_chain_pem, identity.certificate_chain_pem);
    EXPECT_EQ(loaded->private_key_pem, identity.private_key_pem);
  }
}

TEST_F(IdentityTest, TheFileIsItsOwnersAloneAndNamesItsFingerprint) {
  const mode_t mask = umask(0);
  const Identity identity = WriteNew();
  umask(mask);

  EXPECT_EQ(ModeOf(Path()), 0600u);
  EXPECT_THAT(ContentOf(Path()), HasSubstr(FormatFingerprint(identity.fingerprint)));
}

TEST_F(IdentityTest, FoldersThatAreMissingAreMadeForTheOwnerAlone) {
  const Identity identity = NewIdentity(KeyKind::kEd25519).value();

  ASSERT_TRUE(WriteKeyFile(Path("a/b/key.pem"), identity, false).ok());

  EXPECT_EQ(ModeOf(Path("a")), 0700u);
  EXPECT_EQ(ModeOf(Path("a/b")), 0700u);
}

TEST_F(IdentityTest, AFileThatIsThereStaysUnlessItMayBeReplaced) {
  const Identity old = WriteNew();
  const Identity other = NewIdentity(KeyKind::kEd25519).value();

  const absl::Status status = WriteKeyFile(Path(), other, false);

  EXPECT_TRUE(absl::IsAlreadyExists(status));
  EXPECT_THAT(std::string(status.message()), AllOf(HasSubstr(Path()), HasSubstr("--force")));
  EXPECT_EQ(LoadKeyFile(Path())->fingerprint, old.fingerprint);

  EXPECT_TRUE(WriteKeyFile(Path(), other, true).ok());
  EXPECT_EQ(LoadKeyFile(Path())->fingerprint, other.fingerprint);
  EXPECT_EQ(ModeOf(Path()), 0600u);
  EXPECT_EQ(FileCount(), 1u);
}

TEST_F(IdentityTest, ALinkIsNotWrittenThrough) {
  ASSERT_EQ(symlink(Path("elsewhere").c_str(), Path().c_str()), 0);

  const absl::Status status = WriteKeyFile(Path(), NewIdentity(KeyKind::kEd25519).value(), false);

  EXPECT_TRUE(absl::IsAlreadyExists(status));
  EXPECT_FALSE(std::filesystem::exists(Path("elsewhere")));
}

TEST_F(IdentityTest, AFileThatOthersCanReadIsRefusedWithTheRemedy) {
  WriteNew();
  for (const mode_t mode : {0644, 0640, 0604, 0660, 0601}) {
    ASSERT_EQ(chmod(Path().c_str(), mode), 0);

    const absl::Status status = LoadKeyFile(Path()).status();

    EXPECT_TRUE(absl::IsPermissionDenied(status)) << mode;
    EXPECT_THAT(std::string(status.message()), HasSubstr("chmod 600 " + Path()));
  }
  for (const mode_t mode : {0600, 0400, 0700}) {
    ASSERT_EQ(chmod(Path().c_str(), mode), 0);
    EXPECT_TRUE(LoadKeyFile(Path()).ok()) << mode;
  }
}

TEST_F(IdentityTest, AFileThatIsMissingIsNamedWithTheRemedy) {
  const absl::Status status = LoadKeyFile(Path()).status();

  EXPECT_TRUE(absl::IsNotFound(status));
  EXPECT_THAT(std::string(status.message()), HasSubstr("godwit-tunnel keygen --key " + Path()));
}

TEST_F(IdentityTest, FilesWithoutKeyOrCertificateAreRefused) {
  const Identity identity = NewIdentity(KeyKind::kEd25519).value();
  const std::string broken =
      "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n" + identity.private_key_pem;
  for (const auto& [text, problem] : {std::pair<std::string, std::string>{"", "no private key"},
                                      {identity.certificate_chain_pem, "no private key"},
                                      {identity.private_key_pem, "no certificate"},
                                      {"-----BEGIN PRIVATE KEY-----\n", "no private key"},
                                      {broken, "malformed"},
                                      {std::string(70'000, 'x'), "too large"}}) {
    std::ofstream(Path()) << text;
    ASSERT_EQ(chmod(Path().c_str(), 0600), 0);

    EXPECT_THAT(std::string(LoadKeyFile(Path()).status().message()),
                AllOf(HasSubstr(problem), HasSubstr(Path())));
  }
  EXPECT_THAT(std::string(LoadKeyFile(folder_).status().message()), HasSubstr("folder"));
}

TEST_F(IdentityTest, TheDefaultFileIsInTheUsersConfiguration) {
  setenv("XDG_CONFIG_HOME", "/x", 1);
  EXPECT_EQ(*DefaultKeyFile(), "/x/godwit-tunnel/key.pem");
  setenv("XDG_CONFIG_HOME", "", 1);
  setenv("HOME", "/home/me", 1);
  EXPECT_EQ(*DefaultKeyFile(), "/home/me/.config/godwit-tunnel/key.pem");
  unsetenv("HOME");
  EXPECT_THAT(std::string(DefaultKeyFile().status().message()), HasSubstr("--key FILE"));
}

}  // namespace
}  // namespace godwit::tunnel
