// SPDX-License-Identifier: Apache-2.0
#include "tests/transport/lifecycle/tls_session_pairs.h"

#include <utility>

#include "base/check.h"
#include "godwit/tls_config.h"

namespace godwit {
namespace {

// Self-signed, for server.example, until 2126. The key protects nothing.
constexpr char kCertificate[] =
    "-----BEGIN CERTIFICATE-----\n"
    "MIIBazCCAR2gAwIBAgIUBnoAtiecVHwBY1lIEQj44E59AwowBQYDK2VwMBExDzAN\n"
    "BgNVBAMMBnNlcnZlcjAgFw0yNjExMjIxNzIxMTVaGA8yMTI2MTAyOTE3MjExNVow\n"
    "ETEPMA0GA1UEAwwGc2VydmVyMCowBQYDK2VwAyEASTB630dKqQ128oahVOtRT0K/\n"
    "CWQlEbOqQ/WVkfHEYwGjgYQwgYEwHQYDVR0OBBYEFKVJF4rS+1GLF/AnjIwPEyWp\n"
    "cbu5MB8GA1UdIwQYMBaAFKVJF4rS+1GLF/AnjIwPEyWpcbu5MA8GA1UdEwEB/wQF\n"
    "MAMBAf8wGQYDVR0RBBIwEIIOc2VydmVyLmV4YW1wbGUwEwYDVR0lBAwwCgYIKwYB\n"
    "BQUHAwEwBQYDK2VwA0EAxPKaoAQvTNcMITxnWlp9guSSBqJ/HRnRYeurnSdE2pzr\n"
    "DmfV+jFcyIKc8L5gMtLg4pdQLU9LYqt+0Hml12t8CQ==\n"
    "-----END CERTIFICATE-----\n";
constexpr char kPrivateKey[] =
    "-----BEGIN PRIVATE KEY-----\n"
    "MC4CAQAwBQYDK2VwBCIEIFr4UTEgbJde9dBlN+PEtjHiDlYyBpRAN9cAo2kkx7W7\n"
    "-----END PRIVATE KEY-----\n";

// initial_source_connection_id, empty.
constexpr uint8_t kParameters[] = {0x0f, 0x00};

}  // namespace

RealTlsSessions::RealTlsSessions() : random_(1) {
  TlsClientConfig client;
  client.application_protocols = {"echo"};
  client.server_verification = PeerVerification::InsecurelyAcceptAnyCertificate();
  client_ = TlsClientContext::Create(client, kTlsTime.wall).value();

  TlsServerConfig server;
  server.application_protocols = {"echo"};
  server.certificates = {
      {.chain = PemSource::Text(kCertificate), .private_key = PemSource::Text(kPrivateKey)}};
  const TlsServerContext context = TlsServerContext::Create(server, kTlsTime.wall).value();
  server_ = TlsServerSessions::Create(context, {}, {.random = &random_}).value();
}

TlsSessionPair RealTlsSessions::NewPair() {
  return {.client = client_
                        ->NewSession({.server_name = "server.example",
                                      .local_transport_parameters = kParameters},
                                     kTlsTime)
                        .value(),
          .server = server_->NewSession({.local_transport_parameters = kParameters}).value()};
}

TlsSessionPair NewDeterministicPair(const DeterministicTlsConfig& config) {
  return {.client = std::make_unique<DeterministicTlsSession>(config, Perspective::kClient, 1,
                                                              "server.example", kParameters),
          .server = std::make_unique<DeterministicTlsSession>(config, Perspective::kServer, 1, "",
                                                              kParameters)};
}

void ScriptedTlsSession::Say(EncryptionLevel level, std::span<const uint8_t> bytes) {
  std::vector<uint8_t>& to_say = to_say_[Index(level)];
  to_say.insert(to_say.end(), bytes.begin(), bytes.end());
}

Result ScriptedTlsSession::ProvideCryptoData(EncryptionLevel level, std::span<const uint8_t> bytes,
                                             TlsTime /*time*/) {
  if (error_ != nullptr) {
    to_say_[Index(level)].push_back(0);
    return *error_;
  }
  std::vector<uint8_t>& heard = heard_[Index(level)];
  heard.insert(heard.end(), bytes.begin(), bytes.end());
  return Result::Ok();
}

void ScriptedTlsSession::ConsumeCryptoData(EncryptionLevel level, size_t bytes) {
  std::vector<uint8_t>& to_say = to_say_[Index(level)];
  GODWIT_CHECK_LE(bytes, to_say.size());
  to_say.erase(to_say.begin(), to_say.begin() + static_cast<ptrdiff_t>(bytes));
}

}  // namespace godwit
