// SPDX-License-Identifier: Apache-2.0
//
// DerivedKeyFile: the server's own keys (ServerSecrets), derived from the private key of its
// identity, so that clients notice at once when the server was started again (RFC 9000 §10.3)
// without another file to keep. They cannot be turned back into that key.
//
// The library reads them from a file, so this is one, in memory, for as long as the object lives.
#ifndef GODWIT_TUNNEL_SERVER_SECRETS_H_
#define GODWIT_TUNNEL_SERVER_SECRETS_H_

#include <string>
#include <string_view>

#include "crypto/key_file.h"
#include "tunnel/unique_fd.h"

namespace godwit::tunnel {

// The same for the same text, in every process.
ServerSecrets DeriveServerSecrets(std::string_view private_key_pem);

class DerivedKeyFile {
 public:
  explicit DerivedKeyFile(std::string_view private_key_pem);

  // Empty where the system has no such files: the keys are then new with every start.
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  UniqueFd fd_;
  std::string path_;
};

}  // namespace godwit::tunnel

#endif  // GODWIT_TUNNEL_SERVER_SECRETS_H_
