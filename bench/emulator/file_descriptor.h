// SPDX-License-Identifier: Apache-2.0
//
// FileDescriptor: owns one, and closes it. Nothing else.
#ifndef GODWIT_BENCH_EMULATOR_FILE_DESCRIPTOR_H_
#define GODWIT_BENCH_EMULATOR_FILE_DESCRIPTOR_H_

#include <unistd.h>

#include <utility>

namespace godwit {

class FileDescriptor {
 public:
  FileDescriptor() = default;
  explicit FileDescriptor(int fd) : fd_(fd) {}
  ~FileDescriptor() {
    if (fd_ >= 0) close(fd_);
  }
  FileDescriptor(FileDescriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  FileDescriptor& operator=(FileDescriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }

  int get() const { return fd_; }
  bool is_open() const { return fd_ >= 0; }

 private:
  int fd_ = -1;
};

}  // namespace godwit

#endif  // GODWIT_BENCH_EMULATOR_FILE_DESCRIPTOR_H_
