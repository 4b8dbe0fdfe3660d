// SPDX-License-Identifier: Apache-2.0
#include "tunnel/key_log_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace godwit::tunnel {
namespace {

constexpr mode_t kMode = 0600;
constexpr mode_t kPermissionsOfOthers = 077;

absl::Status Check(int fd, const std::string& path) {
  struct stat facts = {};
  if (fstat(fd, &facts) != 0) {
    return absl::ErrnoToStatus(errno, absl::StrCat("--keylog: cannot look at \"", path, "\""));
  }
  if (!S_ISREG(facts.st_mode)) {
    return absl::InvalidArgumentError(absl::StrCat("--keylog: \"", path, "\" is no file"));
  }
  if (facts.st_uid != geteuid()) {
    return absl::PermissionDeniedError(
        absl::StrCat("--keylog: \"", path, "\" is another user's, who could read the traffic"));
  }
  if ((facts.st_mode & kPermissionsOfOthers) == 0) return absl::OkStatus();
  return absl::PermissionDeniedError(absl::StrFormat(
      "--keylog: \"%s\" can be read by others (mode %04o), who could read the traffic; run: chmod "
      "600 %s",
      path, facts.st_mode & 07777u, path));
}

}  // namespace

absl::StatusOr<std::unique_ptr<KeyLogFile>> KeyLogFile::Open(const std::string& path,
                                                             TunnelLog log) {
  // O_NONBLOCK: a FIFO without a reader is an error, too.
  constexpr int kFlags =
      O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
  UniqueFd fd(open(path.c_str(), kFlags, kMode));
  if (!fd.is_open()) {
    if (errno == ELOOP) {
      return absl::InvalidArgumentError(
          absl::StrCat("--keylog: \"", path, "\" is a symbolic link; name the file itself"));
    }
    return absl::ErrnoToStatus(errno, absl::StrCat("--keylog: cannot open \"", path, "\""));
  }
  if (absl::Status status = Check(fd.get(), path); !status.ok()) return status;
  if (log) {
    log(LogLevel::kWarning, absl::StrCat("TLS secrets go to \"", path,
                                         "\": whoever reads it can read all that is carried"));
  }
  return std::unique_ptr<KeyLogFile>(new KeyLogFile(path, std::move(fd), std::move(log)));
}

KeyLogFile::KeyLogFile(std::string path, UniqueFd fd, TunnelLog log)
    : path_(std::move(path)), fd_(std::move(fd)), log_(std::move(log)) {}

void KeyLogFile::Write(std::string_view line) {
  if (!fd_.is_open()) return;
  std::string text(line);
  text.push_back('\n');
  // More than one write only where the disk is full in the middle of the line.
  for (std::string_view rest = text; !rest.empty();) {
    const ssize_t written = write(fd_.get(), rest.data(), rest.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return Fail(errno);
    rest.remove_prefix(static_cast<size_t>(written));
  }
}

void KeyLogFile::Fail(int error) {
  fd_.Close();
  if (!log_) return;
  log_(LogLevel::kError,
       absl::StrCat("no more TLS secrets are written to \"", path_, "\": ", strerror(error)));
}

}  // namespace godwit::tunnel
