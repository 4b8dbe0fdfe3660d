// SPDX-License-Identifier: Apache-2.0
//
// UniqueFd: owns a file descriptor and closes it. Who watches it in a loop ends that first.
#ifndef GODWIT_TUNNEL_UNIQUE_FD_H_
#define GODWIT_TUNNEL_UNIQUE_FD_H_

#include <unistd.h>

#include <utility>

namespace godwit::tunnel {

class UniqueFd {
 public:
  UniqueFd() = default;
  explicit UniqueFd(int fd) : fd_(fd) {}
  ~UniqueFd() { Close(); }
  UniqueFd(UniqueFd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  UniqueFd& operator=(UniqueFd&& other) noexcept {
    if (this != &other) {
      Close();
      fd_ = std::exchange(other.fd_, -1);
    }
    return *this;
  }

  [[nodiscard]] int get() const { return fd_; }
  [[nodiscard]] bool is_open() const { return fd_ >= 0; }
  void Close() {
    if (fd_ >= 0) close(std::exchange(fd_, -1));
  }

 private:
  int fd_ = -1;
};

}  // namespace godwit::tunnel

#endif  // GODWIT_TUNNEL_UNIQUE_FD_H_
