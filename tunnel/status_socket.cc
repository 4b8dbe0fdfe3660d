// SPDX-License-Identifier: Apache-2.0
#include "tunnel/status_socket.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <system_error>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace godwit::tunnel {
namespace {

constexpr int kPatienceSeconds = 3;
constexpr size_t kMaxStatusBytes = size_t{16} << 20;
constexpr int kBacklog = 8;

std::string Environment(const char* name) {
  const char* const value = std::getenv(name);
  return value == nullptr ? "" : value;
}

// The usual ones, the best first.
std::vector<std::string> Folders() {
  std::vector<std::string> folders;
  // systemd may name several.
  const std::string runtime = Environment("RUNTIME_DIRECTORY");
  if (!runtime.empty()) folders.push_back(runtime.substr(0, runtime.find(':')));
  const std::string user_runtime = Environment("XDG_RUNTIME_DIR");
  if (!user_runtime.empty()) folders.push_back(user_runtime + "/godwit-tunnel");
  if (geteuid() == 0) folders.emplace_back("/run/godwit-tunnel");
  folders.push_back(absl::StrCat("/tmp/godwit-tunnel-", geteuid()));
  return folders;
}

// Whether nobody else can put anything there: /tmp is everybody's.
bool IsOwnFolder(const std::string& folder) {
  struct stat facts = {};
  return lstat(folder.c_str(), &facts) == 0 && S_ISDIR(facts.st_mode) &&
         facts.st_uid == geteuid() && (facts.st_mode & 022) == 0;
}

absl::StatusOr<std::string> MakeFolder() {
  for (const std::string& folder : Folders()) {
    if (mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST) continue;
    if (IsOwnFolder(folder)) return folder;
  }
  return absl::FailedPreconditionError(
      "there is no folder for the status socket; say --status-socket PATH");
}

std::optional<sockaddr_un> AddressOf(const std::string& path) {
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof(address.sun_path)) return std::nullopt;
  std::copy(path.begin(), path.end(), address.sun_path);
  return address;
}

absl::Status TooLong(const std::string& path) {
  return absl::InvalidArgumentError(absl::StrCat(
      "\"", path, "\" is too long for a socket (107 bytes); say --status-socket PATH"));
}

const sockaddr* Generic(const sockaddr_un& address) {
  return reinterpret_cast<const sockaddr*>(&address);
}

// Those that systemd made for units, such as /run/godwit-tunnel-office, whatever users they run as:
// in /run only root makes folders.
void AddFoldersOfServices(std::vector<std::string>& folders) {
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator("/run", error)) {
    if (absl::StartsWith(entry.path().filename().string(), "godwit-tunnel")) {
      folders.push_back(entry.path().string());
    }
  }
}

// A socket of ours, at which nobody listens any more. (The kernel says of a file that is none that
// it refuses, too.)
bool IsStale(const sockaddr_un& address) {
  struct stat facts = {};
  if (lstat(address.sun_path, &facts) != 0 || !S_ISSOCK(facts.st_mode) ||
      facts.st_uid != geteuid()) {
    return false;
  }
  const UniqueFd fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  return connect(fd.get(), Generic(address), sizeof(address)) != 0 && errno == ECONNREFUSED;
}

int Bind(int fd, const sockaddr_un& address) {
  // The socket is its user's alone from the first moment.
  const mode_t mask = umask(0177);
  const int result = bind(fd, Generic(address), sizeof(address));
  umask(mask);
  return result;
}

}  // namespace

absl::StatusOr<StatusSocket> StatusSocket::Listen(const std::string& path, std::string_view role) {
  std::string own_path = path;
  if (path.empty()) {
    const absl::StatusOr<std::string> folder = MakeFolder();
    if (!folder.ok()) return folder.status();
    own_path = absl::StrCat(*folder, "/", std::string(role), "-", getpid(), ".sock");
  }
  const std::optional<sockaddr_un> address = AddressOf(own_path);
  if (!address) return TooLong(own_path);
  UniqueFd fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd.is_open()) return absl::ErrnoToStatus(errno, "cannot open a Unix socket");
  int result = Bind(fd.get(), *address);
  if (result != 0 && errno == EADDRINUSE) {
    if (!IsStale(*address)) {
      return absl::AlreadyExistsError(
          absl::StrCat("the status socket \"", own_path,
                       "\" is there already: another tunnel, or another file"));
    }
    unlink(own_path.c_str());
    result = Bind(fd.get(), *address);
  }
  if (result != 0 || listen(fd.get(), kBacklog) != 0) {
    return absl::ErrnoToStatus(errno, absl::StrCat("cannot listen on \"", own_path, "\""));
  }
  return StatusSocket(std::move(fd), std::move(own_path));
}

StatusSocket::~StatusSocket() {
  if (!path_.empty()) unlink(path_.c_str());
}

StatusSocket::StatusSocket(StatusSocket&& other) noexcept
    : fd_(std::move(other.fd_)), path_(std::exchange(other.path_, {})) {}

StatusSocket& StatusSocket::operator=(StatusSocket&& other) noexcept {
  std::swap(fd_, other.fd_);
  std::swap(path_, other.path_);
  return *this;
}

std::vector<std::string> FindStatusSockets() {
  std::vector<std::string> paths;
  std::vector<std::string> folders = Folders();
  // A file of somebody else's could say anything.
  std::erase_if(folders, [](const std::string& folder) { return !IsOwnFolder(folder); });
  if (geteuid() == 0) AddFoldersOfServices(folders);
  for (const std::string& folder : folders) {
    std::error_code error;
    for (const auto& file : std::filesystem::directory_iterator(folder, error)) {
      const std::string path = file.path().string();
      if (absl::EndsWith(path, ".sock")) paths.push_back(path);
    }
  }
  std::sort(paths.begin(), paths.end());
  paths.erase(std::unique(paths.begin(), paths.end()), paths.end());
  return paths;
}

absl::StatusOr<std::string> AskStatusSocket(const std::string& path) {
  const std::optional<sockaddr_un> address = AddressOf(path);
  if (!address) return TooLong(path);
  const UniqueFd fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const timeval patience = {.tv_sec = kPatienceSeconds, .tv_usec = 0};
  setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
  setsockopt(fd.get(), SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
  if (connect(fd.get(), Generic(*address), sizeof(*address)) != 0) {
    return absl::ErrnoToStatus(errno, absl::StrCat("no tunnel answers at \"", path, "\""));
  }
  std::string text;
  std::array<char, 16'384> bytes;
  while (text.size() < kMaxStatusBytes) {
    const ssize_t got = recv(fd.get(), bytes.data(), bytes.size(), 0);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) {
      return absl::ErrnoToStatus(errno, absl::StrCat("no tunnel answers at \"", path, "\""));
    }
    if (got == 0) break;
    text.append(bytes.data(), static_cast<size_t>(got));
  }
  return text;
}

}  // namespace godwit::tunnel
