// SPDX-License-Identifier: Apache-2.0
//
// Uses OpenSSL 3 in a process without BoringSSL. This is the arrangement to prefer: the program
// that needs OpenSSL runs beside the one that has godwit in it.
#include <dlfcn.h>

#include <cstdio>

#include "examples/openssl_clash/openssl_user.h"

int main() {
  void* const library = dlopen(openssl_clash::kOpenSslLibrary, RTLD_NOW);
  if (library == nullptr) {
    std::printf("%s\n", dlerror());
    return openssl_clash::kNotInstalled;
  }
  return openssl_clash::UseOpenSsl(library) ? openssl_clash::kWorked : openssl_clash::kFailed;
}
