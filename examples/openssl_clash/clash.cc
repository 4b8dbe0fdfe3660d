// SPDX-License-Identifier: Apache-2.0
//
// Uses OpenSSL 3 in a process that has BoringSSL in it, as every program has that links godwit.
// docs/boringssl-and-openssl.md says what comes of it. The argument is one of
//   visible   do other libraries see BoringSSL's functions? Status 0 if they do.
//   plain     load OpenSSL as the loader of any program does. Crashes if they do.
//   deepbind  load it with RTLD_DEEPBIND: its names are looked up in itself first.
//   dlmopen   load it into a name space of its own.
#ifndef _GNU_SOURCE
#define _GNU_SOURCE  // dlmopen, RTLD_DEEPBIND.
#endif
#include <dlfcn.h>
#include <openssl/base.h>
#include <openssl/ssl.h>

#include <cstdio>
#include <string_view>

#include "examples/openssl_clash/openssl_user.h"

#ifndef OPENSSL_IS_BORINGSSL
#error "this example is about BoringSSL: <openssl/base.h> is not its header"
#endif

namespace {

// What godwit does with BoringSSL, in small.
bool BoringSslWorks() {
  SSL_CTX* const context = SSL_CTX_new(TLS_method());
  SSL_CTX_free(context);
  return context != nullptr;
}

// Which file gives a library that is loaded from now on the function that it calls by `name`.
const char* ProviderOf(const char* name) {
  Dl_info info;
  void* const function = dlsym(RTLD_DEFAULT, name);
  return function != nullptr && dladdr(function, &info) != 0 ? info.dli_fname : nullptr;
}

void* Load(std::string_view how) {
  if (how == "deepbind") {
    return dlopen(openssl_clash::kOpenSslLibrary, RTLD_NOW | RTLD_DEEPBIND);
  }
  if (how == "dlmopen") {
    return dlmopen(LM_ID_NEWLM, openssl_clash::kOpenSslLibrary, RTLD_NOW);
  }
  return dlopen(openssl_clash::kOpenSslLibrary, RTLD_NOW);
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view how = argc == 2 ? argv[1] : "";
  if (how != "visible" && how != "plain" && how != "deepbind" && how != "dlmopen") {
    std::printf("usage: %s visible|plain|deepbind|dlmopen\n", argv[0]);
    return openssl_clash::kFailed;
  }
  if (!BoringSslWorks()) return openssl_clash::kFailed;

  const char* const provider = ProviderOf("EVP_DigestInit_ex");
  std::printf("Who calls EVP_DigestInit_ex gets that of %s\n", provider ? provider : "OpenSSL");
  if (how == "visible") return provider ? openssl_clash::kWorked : openssl_clash::kFailed;

  void* const library = Load(how);
  if (library == nullptr) {
    std::printf("%s\n", dlerror());
    return openssl_clash::kNotInstalled;
  }
  std::printf("Loaded %s (%s)\n", openssl_clash::kOpenSslLibrary, argv[1]);
  const bool ok = openssl_clash::UseOpenSsl(library) && BoringSslWorks();
  std::puts(ok ? "Both work" : "Something failed");
  return ok ? openssl_clash::kWorked : openssl_clash::kFailed;
}
