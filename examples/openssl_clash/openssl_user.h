// SPDX-License-Identifier: Apache-2.0
//
// Stands for a library that was built against OpenSSL 3 (libcurl, libpq, ...): it takes a loaded
// libssl.so.3 and uses it. It includes no header of OpenSSL, so that it builds where those are not
// installed, and none of BoringSSL, whose functions have the same names.
#ifndef GODWIT_EXAMPLES_OPENSSL_CLASH_OPENSSL_USER_H_
#define GODWIT_EXAMPLES_OPENSSL_CLASH_OPENSSL_USER_H_

namespace openssl_clash {

inline constexpr char kOpenSslLibrary[] = "libssl.so.3";

// Exit statuses of the programs here.
inline constexpr int kWorked = 0;
inline constexpr int kFailed = 1;
inline constexpr int kNotInstalled = 77;  // There is no OpenSSL 3.

// Hashes three bytes and makes a TLS context, saying each before it is done. `library`: what
// dlopen returned for kOpenSslLibrary. False if OpenSSL reports a failure.
bool UseOpenSsl(void* library);

}  // namespace openssl_clash

#endif  // GODWIT_EXAMPLES_OPENSSL_CLASH_OPENSSL_USER_H_
