// SPDX-License-Identifier: Apache-2.0
#include "crypto/tls_policy.h"

#include "base/check.h"

namespace godwit {
namespace {

void DeletePolicy(void* /*parent*/, void* policy, CRYPTO_EX_DATA* /*data*/, int /*index*/,
                  long /*argl*/, void* /*argp*/) {  // NOLINT(google-runtime-int): BoringSSL's type.
  delete static_cast<const TlsPolicy*>(policy);
}

int PolicyIndex() {
  static const int index = SSL_CTX_get_ex_new_index(0, nullptr, nullptr, nullptr, DeletePolicy);
  return index;
}

}  // namespace

bool TlsPolicy::Attach(SSL_CTX* context, std::unique_ptr<const TlsPolicy> policy) {
  const int index = PolicyIndex();
  // Only the context's own deleter writes through the pointer.
  if (index < 0 || SSL_CTX_set_ex_data(context, index, const_cast<TlsPolicy*>(policy.get())) != 1) {
    return false;
  }
  static_cast<void>(policy.release());
  return true;
}

const TlsPolicy& TlsPolicy::Of(const SSL_CTX* context) {
  const auto* policy = static_cast<const TlsPolicy*>(SSL_CTX_get_ex_data(context, PolicyIndex()));
  GODWIT_CHECK(policy != nullptr);
  return *policy;
}

}  // namespace godwit
