// SPDX-License-Identifier: Apache-2.0
#include "tunnel/identity.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string_view>
#include <system_error>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

#include "godwit/self_signed.h"
#include "tunnel/fingerprint.h"

namespace godwit::tunnel {
namespace {

constexpr size_t kMaxKeyFileBytes = size_t{64} << 10;
constexpr mode_t kPermissionsOfGroup = 070;
constexpr mode_t kPermissionsOfOthers = 007;

absl::Status Failed(std::string_view what, const std::string& path) {
  const int error = errno;
  return absl::ErrnoToStatus(
      error, absl::StrCat(absl::string_view(what.data(), what.size()), " \"", path, "\""));
}

absl::Status WriteAll(int fd, const std::string& path, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = write(fd, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return Failed("cannot write", path);
    text.remove_prefix(static_cast<size_t>(written));
  }
  if (fsync(fd) != 0) return Failed("cannot write", path);
  return absl::OkStatus();
}

// A file that was not there before.
absl::Status WriteNewFile(const std::string& path, std::string_view text) {
  const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (fd < 0) return Failed("cannot create", path);
  absl::Status status = WriteAll(fd, path, text);
  if (close(fd) != 0 && status.ok()) status = Failed("cannot write", path);
  if (!status.ok()) unlink(path.c_str());
  return status;
}

absl::Status MakeFolderOf(const std::string& path) {
  const std::filesystem::path folder = std::filesystem::path(path).parent_path();
  std::error_code error;
  if (folder.empty() || std::filesystem::exists(folder, error)) return absl::OkStatus();
  const mode_t mask = umask(077);
  std::filesystem::create_directories(folder, error);
  umask(mask);
  if (!error) return absl::OkStatus();
  return absl::ErrnoToStatus(error.value(),
                             absl::StrCat("cannot create the folder \"", folder.string(), "\""));
}

absl::Status CheckPermissions(int fd, const std::string& path) {
  struct stat facts = {};
  if (fstat(fd, &facts) != 0) return Failed("cannot read", path);
  if (S_ISDIR(facts.st_mode)) {
    return absl::InvalidArgumentError(absl::StrCat("\"", path, "\" is a folder, no key file"));
  }
  const bool is_handed_down = facts.st_uid == 0 && geteuid() != 0;
  const mode_t forbidden = kPermissionsOfOthers | (is_handed_down ? 0 : kPermissionsOfGroup);
  if ((facts.st_mode & forbidden) == 0) return absl::OkStatus();
  return absl::PermissionDeniedError(
      absl::StrFormat("key file \"%s\" can be read by others (mode %04o); run: chmod 600 %s", path,
                      facts.st_mode & 07777u, path));
}

absl::StatusOr<std::string> ReadAll(int fd, const std::string& path) {
  std::string text(kMaxKeyFileBytes + 1, '\0');
  size_t size = 0;
  while (size < text.size()) {
    const ssize_t got = read(fd, text.data() + size, text.size() - size);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return Failed("cannot read", path);
    if (got == 0) break;
    size += static_cast<size_t>(got);
  }
  if (size > kMaxKeyFileBytes) {
    return absl::InvalidArgumentError(absl::StrCat("\"", path, "\" is too large for a key file"));
  }
  text.resize(size);
  return text;
}

// The PEM blocks of `text` whose label ends with `label`, one after the other.
std::string BlocksOf(std::string_view text, std::string_view label) {
  constexpr std::string_view kBegin = "-----BEGIN ";
  constexpr std::string_view kDashes = "-----";
  std::string blocks;
  while (true) {
    const size_t begin = text.find(kBegin);
    if (begin == std::string_view::npos) return blocks;
    text.remove_prefix(begin);
    const size_t label_end = text.find(kDashes, kBegin.size());
    if (label_end == std::string_view::npos) return blocks;
    const std::string_view name = text.substr(kBegin.size(), label_end - kBegin.size());
    const std::string end = absl::StrCat("-----END ", std::string(name), "-----");
    const size_t end_at = text.find(end);
    if (end_at == std::string_view::npos) return blocks;
    const size_t size = end_at + end.size();
    if (name.ends_with(label)) {
      blocks.append(text.substr(0, size));
      blocks.push_back('\n');
    }
    text.remove_prefix(size);
  }
}

absl::StatusOr<Identity> ReadIdentity(const std::string& path, std::string_view text) {
  Identity identity;
  identity.certificate_chain_pem = BlocksOf(text, "CERTIFICATE");
  identity.private_key_pem = BlocksOf(text, "PRIVATE KEY");
  if (identity.private_key_pem.empty() || identity.certificate_chain_pem.empty()) {
    return absl::InvalidArgumentError(absl::StrCat(
        "\"", path, "\" has no ", identity.private_key_pem.empty() ? "private key" : "certificate",
        "; make a key file with: godwit-tunnel keygen --key FILE"));
  }
  const absl::StatusOr<PublicKeyHash> hash =
      SelfSignedCertificate::HashPublicKeyOf(PemSource::Text(identity.certificate_chain_pem));
  if (!hash.ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat("key file \"", path, "\": ", hash.status().message()));
  }
  identity.fingerprint = *hash;
  return identity;
}

}  // namespace

absl::StatusOr<Identity> NewIdentity(KeyKind kind) {
  SelfSignedOptions options;
  options.common_name = "godwit-tunnel";
  options.key = kind == KeyKind::kEd25519 ? SelfSignedOptions::Key::kEd25519
                                          : SelfSignedOptions::Key::kEcdsaP256;
  absl::StatusOr<SelfSignedCertificate> made = SelfSignedCertificate::Make(options);
  if (!made.ok()) return made.status();
  return Identity{std::move(made->certificate_pem), std::move(made->private_key_pem),
                  made->public_key_hash};
}

absl::StatusOr<std::string> DefaultKeyFile() {
  constexpr char kFile[] = "/godwit-tunnel/key.pem";
  const char* const config = std::getenv("XDG_CONFIG_HOME");
  if (config != nullptr && *config == '/') return absl::StrCat(config, kFile);
  const char* const home = std::getenv("HOME");
  if (home != nullptr && *home == '/') return absl::StrCat(home, "/.config", kFile);
  return absl::InvalidArgumentError("there is no home folder for the key file; say --key FILE");
}

absl::Status WriteKeyFile(const std::string& path, const Identity& identity, bool replaces) {
  absl::Status status = MakeFolderOf(path);
  if (!status.ok()) return status;
  const std::string text =
      absl::StrCat("godwit-tunnel key ", FormatFingerprint(identity.fingerprint), "\n",
                   identity.private_key_pem, identity.certificate_chain_pem);
  if (!replaces) {
    status = WriteNewFile(path, text);
    if (!absl::IsAlreadyExists(status)) return status;
    return absl::AlreadyExistsError(
        absl::StrCat("\"", path, "\" exists; --force replaces it, and its key is then lost"));
  }
  // Beside the old one, then in its place.
  const std::string temporary = absl::StrCat(path, ".", getpid(), ".new");
  status = WriteNewFile(temporary, text);
  if (!status.ok()) return status;
  if (rename(temporary.c_str(), path.c_str()) == 0) return absl::OkStatus();
  status = Failed("cannot replace", path);
  unlink(temporary.c_str());
  return status;
}

absl::StatusOr<Identity> LoadKeyFile(const std::string& path) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0 && errno == ENOENT) {
    return absl::NotFoundError(absl::StrCat(
        "there is no key file \"", path, "\"; make one with: godwit-tunnel keygen --key ", path));
  }
  if (fd < 0) return Failed("cannot open the key file", path);
  const absl::Cleanup closer = [fd] { close(fd); };
  const absl::Status status = CheckPermissions(fd, path);
  if (!status.ok()) return status;
  absl::StatusOr<std::string> text = ReadAll(fd, path);
  if (!text.ok()) return text.status();
  return ReadIdentity(path, *text);
}

}  // namespace godwit::tunnel
