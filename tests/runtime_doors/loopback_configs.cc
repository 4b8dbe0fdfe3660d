// SPDX-License-Identifier: Apache-2.0
#include "tests/runtime_doors/loopback_configs.h"

namespace godwit {
namespace {

// Nobody else's: made for this test alone.
constexpr char kCertificate[] = R"(
-----BEGIN CERTIFICATE-----
MIIBWzCCAQ2gAwIBAgIUMqdX0jiKGLZymMlMHIdZ8v0qyUAwBQYDK2VwMBQxEjAQ
BgNVBAMMCWxvY2FsaG9zdDAgFw0yNjExMjIyMTM5NTlaGA8yMTI2MTAyOTIxMzk1
OVowFDESMBAGA1UEAwwJbG9jYWxob3N0MCowBQYDK2VwAyEAuXW0yAJd0DQCDWhd
MJpQ8IdFZGLwVjiyiU+tmCNCzaKjbzBtMB0GA1UdDgQWBBTaqBupinZgbK9hMmcy
OyJmJnbh/DAfBgNVHSMEGDAWgBTaqBupinZgbK9hMmcyOyJmJnbh/DAPBgNVHRMB
Af8EBTADAQH/MBoGA1UdEQQTMBGCCWxvY2FsaG9zdIcEfwAAATAFBgMrZXADQQA2
j21vFc2vn1CDQSgZGD8VqudANQN7yi//a1+KTECKHf67sGDej528P2rMOFkxbwP7
FbjnZYPxZ8IvcDVl3HMK
-----END CERTIFICATE-----
)";

constexpr char kPrivateKey[] = R"(
-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEICF+CM6rn9WiFQxHUajg6MEc19PiPi+5TZDjMDAqGFz5
-----END PRIVATE KEY-----
)";

}  // namespace

ServerConfig LoopbackServerConfig() {
  ServerConfig config;
  config.tls.certificates = {{PemSource::Text(kCertificate), PemSource::Text(kPrivateKey)}};
  config.tls.application_protocols = {"test"};
  config.socket.local = *SocketAddress::Parse("127.0.0.1:0");
  return config;
}

ClientConfig LoopbackClientConfig() {
  ClientConfig config;
  config.tls.server_verification = PeerVerification::InsecurelyAcceptAnyCertificate();
  config.tls.application_protocols = {"test"};
  config.socket.local = *SocketAddress::Parse("127.0.0.1:0");
  return config;
}

}  // namespace godwit
