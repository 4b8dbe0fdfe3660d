// SPDX-License-Identifier: Apache-2.0
#include "examples/openssl_clash/openssl_user.h"

#include <dlfcn.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdio>

namespace openssl_clash {
namespace {

// The types of OpenSSL 3 are opaque to its users.
struct Digest;
struct DigestContext;
struct TlsMethod;
struct TlsContext;

// The function `name` of `library` or of a library that it depends on.
template <typename Function>
Function* Find(void* library, const char* name) {
  return reinterpret_cast<Function*>(dlsym(library, name));
}

bool HashThreeBytes(void* library) {
  auto* fetch = Find<Digest*(void*, const char*, const char*)>(library, "EVP_MD_fetch");
  auto* new_context = Find<DigestContext*()>(library, "EVP_MD_CTX_new");
  auto* init = Find<int(DigestContext*, const Digest*, void*)>(library, "EVP_DigestInit_ex");
  auto* update = Find<int(DigestContext*, const void*, size_t)>(library, "EVP_DigestUpdate");
  auto* final = Find<int(DigestContext*, uint8_t*, unsigned*)>(library, "EVP_DigestFinal_ex");
  auto* free_context = Find<void(DigestContext*)>(library, "EVP_MD_CTX_free");
  auto* free_digest = Find<void(Digest*)>(library, "EVP_MD_free");

  std::puts("  OpenSSL: EVP_MD_fetch");
  Digest* const digest = fetch(nullptr, "SHA2-256", nullptr);
  if (digest == nullptr) return false;
  std::puts("  OpenSSL: EVP_DigestInit_ex");
  DigestContext* const context = new_context();
  std::array<uint8_t, 32> hash = {};
  unsigned size = 0;
  const bool ok = context != nullptr && init(context, digest, nullptr) == 1 &&
                  update(context, "abc", 3) == 1 && final(context, hash.data(), &size) == 1;
  free_context(context);
  free_digest(digest);
  // FIPS 180-4: the SHA-256 of "abc" starts with ba 78 16 bf.
  return ok && size == hash.size() && hash[0] == 0xba && hash[1] == 0x78;
}

bool MakeTlsContext(void* library) {
  auto* method = Find<const TlsMethod*()>(library, "TLS_method");
  auto* new_context = Find<TlsContext*(const TlsMethod*)>(library, "SSL_CTX_new");
  auto* free_context = Find<void(TlsContext*)>(library, "SSL_CTX_free");

  std::puts("  OpenSSL: SSL_CTX_new");
  TlsContext* const context = new_context(method());
  free_context(context);
  return context != nullptr;
}

}  // namespace

bool UseOpenSsl(void* library) {
  // What was said must be out before the process crashes.
  std::setvbuf(stdout, nullptr, _IONBF, 0);
  const bool ok = HashThreeBytes(library) && MakeTlsContext(library);
  std::puts(ok ? "  OpenSSL works" : "  OpenSSL reports a failure");
  return ok;
}

}  // namespace openssl_clash
