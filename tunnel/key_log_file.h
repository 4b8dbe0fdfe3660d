// SPDX-License-Identifier: Apache-2.0
//
// KeyLogFile: the file of --keylog, to which TLS secrets are appended line by line, each with one
// write, so that a reader sees whole lines as they come and processes can share the file. Which
// secrets there are is the library's to say.
//
// Whoever reads it reads the traffic: it is made for its owner alone, and one that is another
// user's, or that others can read, is refused. It is a file; a symbolic link is not followed.
//
// Threads: one at a time.
#ifndef GODWIT_TUNNEL_KEY_LOG_FILE_H_
#define GODWIT_TUNNEL_KEY_LOG_FILE_H_

#include <memory>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

#include "tunnel/tunnel_log.h"
#include "tunnel/unique_fd.h"

namespace godwit::tunnel {

class KeyLogFile {
 public:
  // Errors are one line that names the file and says what to do. Says in the log what is written
  // there.
  static absl::StatusOr<std::unique_ptr<KeyLogFile>> Open(const std::string& path, TunnelLog log);

  // `line` without its end. The first failure is told in the log; nothing is written from then on,
  // so that the file holds whole lines but for its last.
  void Write(std::string_view line);

 private:
  KeyLogFile(std::string path, UniqueFd fd, TunnelLog log);

  void Fail(int error);

  const std::string path_;
  UniqueFd fd_;
  const TunnelLog log_;
};

}  // namespace godwit::tunnel

#endif  // GODWIT_TUNNEL_KEY_LOG_FILE_H_
