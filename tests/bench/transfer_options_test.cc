// SPDX-License-Identifier: Apache-2.0
#include "bench/transfer_options.h"

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "gtest/gtest.h"

#include "godwit/socket_address.h"
#include "godwit/time.h"

namespace godwit {
namespace {

absl::StatusOr<TransferOptions> Parse(std::vector<const char*> arguments,
                                      TransferProgram program = TransferProgram::kTcp) {
  arguments.insert(arguments.begin(), "program");
  return ParseTransferOptions(program, static_cast<int>(arguments.size()), arguments.data());
}

std::string ErrorOf(std::vector<const char*> arguments,
                    TransferProgram program = TransferProgram::kTcp) {
  return std::string(Parse(std::move(arguments), program).status().message());
}

TEST(TransferOptionsTest, ClientAloneDownloadsOneStreamForTenSeconds) {
  const absl::StatusOr<TransferOptions> options = Parse({"client", "[::1]:4433"});

  ASSERT_TRUE(options.ok()) << options.status();
  EXPECT_EQ(options->role, TransferRole::kClient);
  EXPECT_EQ(options->address, SocketAddress::Parse("[::1]:4433"));
  EXPECT_EQ(options->direction, TransferDirection::kDownload);
  EXPECT_EQ(options->bytes, 0u);
  EXPECT_EQ(options->duration, Duration::Seconds(10));
  EXPECT_EQ(options->streams, 1u);
  EXPECT_EQ(options->connections, 1u);
  EXPECT_FALSE(options->verifies);
  EXPECT_EQ(options->protocol, TransferProtocol::kTcp);
  EXPECT_FALSE(options->cpu.has_value());
}

TEST(TransferOptionsTest, AllOptionsOfAClientAreRead) {
  const absl::StatusOr<TransferOptions> options = Parse(
      {"client", "127.0.0.1:1", "--upload", "--seconds", "0.5", "--streams=3", "--connections", "2",
       "--congestion=bbr", "--json", "-", "--cpu", "1", "--verify", "--tls"});

  ASSERT_TRUE(options.ok()) << options.status();
  EXPECT_EQ(options->direction, TransferDirection::kUpload);
  EXPECT_EQ(options->duration, Duration::Milliseconds(500));
  EXPECT_EQ(options->streams, 3u);
  EXPECT_EQ(options->connections, 2u);
  EXPECT_EQ(options->congestion, "bbr");
  EXPECT_EQ(options->json_path, "-");
  EXPECT_EQ(options->cpu, 1u);
  EXPECT_TRUE(options->verifies);
  EXPECT_EQ(options->protocol, TransferProtocol::kTcpTls);
}

TEST(TransferOptionsTest, OptionsOfExchangesAreRead) {
  const absl::StatusOr<TransferOptions> latency =
      Parse({"client", "127.0.0.1:1", "--over", "tcp", "--requests", "5000000000", "--outstanding",
             "100", "--congestion", "bbr"},
            TransferProgram::kLatency);
  const absl::StatusOr<TransferOptions> handshakes = Parse(
      {"server", "--listen", "127.0.0.1:0", "--over=tcp+tls", "--certificate", "p256", "--once"},
      TransferProgram::kHandshakes);

  ASSERT_TRUE(latency.ok()) << latency.status();
  EXPECT_EQ(latency->protocol, TransferProtocol::kTcp);
  EXPECT_EQ(latency->count, 5'000'000'000u);
  EXPECT_EQ(latency->outstanding, 100u);
  ASSERT_TRUE(handshakes.ok()) << handshakes.status();
  EXPECT_EQ(handshakes->protocol, TransferProtocol::kTcpTls);
  EXPECT_EQ(handshakes->certificate, CertificateKind::kEcdsaP256);
}

TEST(TransferOptionsTest, ExchangesGoOverQuicOneAtATimeForTenSeconds) {
  const absl::StatusOr<TransferOptions> options =
      Parse({"client", "127.0.0.1:1"}, TransferProgram::kHandshakes);

  ASSERT_TRUE(options.ok()) << options.status();
  EXPECT_EQ(options->protocol, TransferProtocol::kQuic);
  EXPECT_EQ(options->certificate, CertificateKind::kEd25519);
  EXPECT_EQ(options->count, 0u);
  EXPECT_EQ(options->outstanding, 1u);
  EXPECT_EQ(options->duration, Duration::Seconds(10));
}

TEST(TransferOptionsTest, ServerMayListenOnAPortThatTheKernelChooses) {
  const absl::StatusOr<TransferOptions> options =
      Parse({"server", "--once", "--listen", "0.0.0.0:0"});

  ASSERT_TRUE(options.ok()) << options.status();
  EXPECT_EQ(options->role, TransferRole::kServer);
  EXPECT_EQ(options->address, SocketAddress::Parse("0.0.0.0:0"));
  EXPECT_TRUE(options->once);
}

TEST(TransferOptionsTest, SuffixesOfBytesArePowersOfAThousand) {
  EXPECT_EQ(Parse({"client", "127.0.0.1:1", "--bytes", "7"})->bytes, 7u);
  EXPECT_EQ(Parse({"client", "127.0.0.1:1", "--bytes", "7k"})->bytes, 7'000u);
  EXPECT_EQ(Parse({"client", "127.0.0.1:1", "--bytes", "7M"})->bytes, 7'000'000u);
  EXPECT_EQ(Parse({"client", "127.0.0.1:1", "--bytes", "7g"})->bytes, 7'000'000'000u);
}

TEST(TransferOptionsTest, HelpWinsOverMistakes) {
  EXPECT_TRUE(Parse({"--help"})->wants_help);
  EXPECT_TRUE(Parse({"client", "nonsense", "-h"})->wants_help);
}

TEST(TransferOptionsTest, MistakesAreNamedInOneLine) {
  const struct {
    std::vector<const char*> arguments;
    std::string error;
  } kCases[] = {
      {{}, "begin with 'server' or 'client'; see --help"},
      {{"both"}, "begin with 'server' or 'client'; see --help"},
      {{"client"}, "say which server: client ADDR:PORT"},
      {{"client", "localhost:1"},
       "'localhost:1' is no numeric address with a port, such as 127.0.0.1:4433 or [::1]:4433"},
      {{"client", "127.0.0.1:0"}, "'127.0.0.1:0': a server has no port 0"},
      {{"server"}, "a server needs --listen ADDR:PORT"},
      {{"server", "--listen"}, "--listen needs a value: --listen ADDR:PORT"},
      {{"server", "--listen="}, "--listen needs a value: --listen ADDR:PORT"},
      {{"client", "127.0.0.1:1", "--fast"}, "unknown option '--fast'; see --help"},
      {{"client", "127.0.0.1:1", "stray"}, "unknown option 'stray'; see --help"},
      {{"client", "127.0.0.1:1", "--once"}, "--once is not for a client"},
      {{"server", "--streams", "2"}, "--streams is not for a server"},
      {{"client", "127.0.0.1:1", "--verify=yes"}, "--verify takes no value"},
      {{"client", "127.0.0.1:1", "--bytes", "k"},
       "--bytes: 'k' is no number of bytes, such as 5000, 10m or 2g (powers of 1000)"},
      {{"client", "127.0.0.1:1", "--seconds", "0"},
       "--seconds: '0' is no number of seconds above 0, at most 1000000"},
      {{"client", "127.0.0.1:1", "--seconds", "1e7"},
       "--seconds: '1e7' is no number of seconds above 0, at most 1000000"},
      {{"client", "127.0.0.1:1", "--streams", "0"}, "--streams: '0' is no number from 1 to 10000"},
      {{"client", "127.0.0.1:1", "--cpu", "x"}, "--cpu: 'x' is no number of a CPU, such as 0"},
      {{"client", "127.0.0.1:1", "--bytes", "1m", "--seconds", "1"},
       "--bytes and --seconds exclude each other"},
      {{"client", "127.0.0.1:1", "--upload", "--download"},
       "--download, --upload and --bidirectional exclude each other"},
      {{"client", "127.0.0.1:1", "--streams", "101", "--connections", "100"},
       "--streams times --connections is more than 10000"},
      {{"client", "127.0.0.1:1", "--bytes", "3", "--streams", "4"},
       "--bytes is less than one byte for each stream"},
  };
  for (const auto& one : kCases) EXPECT_EQ(ErrorOf(one.arguments), one.error);
}

TEST(TransferOptionsTest, MistakesOfExchangesAreNamed) {
  const auto latency_error = [](std::vector<const char*> more) {
    more.insert(more.begin(), {"client", "127.0.0.1:1"});
    return ErrorOf(std::move(more), TransferProgram::kLatency);
  };

  EXPECT_EQ(latency_error({"--over", "sctp"}), "--over: 'sctp' is not quic, tcp+tls or tcp");
  EXPECT_EQ(latency_error({"--requests", "0"}), "--requests: '0' is no number above 0");
  EXPECT_EQ(latency_error({"--requests", "1", "--seconds", "1"}),
            "--requests and --seconds exclude each other");
  EXPECT_EQ(latency_error({"--handshakes", "1"}), "unknown option '--handshakes'; see --help");
  EXPECT_EQ(latency_error({"--certificate", "p256"}), "--certificate is not for a client");
  EXPECT_EQ(ErrorOf({"server", "--listen", "127.0.0.1:0", "--certificate", "rsa"},
                    TransferProgram::kLatency),
            "--certificate: 'rsa' is not ed25519 or p256");
  EXPECT_EQ(ErrorOf({"client", "127.0.0.1:1", "--over", "tcp"}, TransferProgram::kHandshakes),
            "--over tcp: without TLS there is no handshake to compare");
}

TEST(TransferOptionsTest, BytesThatDoNotFitAreRefused) {
  EXPECT_TRUE(absl::StrContains(
      ErrorOf({"client", "127.0.0.1:1", "--bytes", "18446744073709551615k"}), "--bytes"));
}

TEST(TransferOptionsTest, EachProgramHasItsOwnOptions) {
  EXPECT_EQ(ErrorOf({"client", "127.0.0.1:1", "--tls"}, TransferProgram::kQuic),
            "unknown option '--tls'; see --help");
  EXPECT_EQ(ErrorOf({"client", "127.0.0.1:1", "--streams", "2"}, TransferProgram::kLimit),
            "unknown option '--streams'; see --help");
  EXPECT_TRUE(absl::StrContains(TransferUsage(TransferProgram::kTcp), "--tls"));
  EXPECT_FALSE(absl::StrContains(TransferUsage(TransferProgram::kQuic), "--tls"));
}

}  // namespace
}  // namespace godwit
