// SPDX-License-Identifier: Apache-2.0
#include "tunnel/options.h"

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace godwit::tunnel {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using Arguments = std::vector<std::string>;

const std::string kFingerprint =
    "SHA256:00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
const std::string kOtherFingerprint =
    "SHA256:ff112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";

template <typename T>
T Read(const Arguments& arguments) {
  const absl::StatusOr<Options> options = ReadOptions(arguments);
  EXPECT_TRUE(options.ok()) << options.status();
  EXPECT_TRUE(options.ok() && std::holds_alternative<T>(*options));
  return options.ok() && std::holds_alternative<T>(*options) ? std::get<T>(*options) : T();
}

std::string ErrorOf(const Arguments& arguments) {
  const absl::StatusOr<Options> options = ReadOptions(arguments);
  EXPECT_FALSE(options.ok());
  const std::string message(options.status().message());
  EXPECT_THAT(message, Not(HasSubstr("\n")));
  return message;
}

Arguments Client(const Arguments& more) {
  Arguments arguments = {"client", "example.org", "--server-key", kFingerprint};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return arguments;
}

Arguments Server(const Arguments& more) {
  Arguments arguments = {"server", "--allow-client", kFingerprint};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return arguments;
}

PublicKeyHash HashOf(const std::string& fingerprint) {
  return PublicKeyHash::FromHex(fingerprint.substr(7)).value();
}

class OptionsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    setenv("XDG_CONFIG_HOME", "/config", 1);
    std::string name = ::testing::TempDir() + "/options.XXXXXX";
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    folder_ = name;
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::string File(const std::string& content) const {
    const std::string path = folder_ + "/tunnel.toml";
    std::ofstream(path) << content;
    return path;
  }

  std::string folder_;
};

TEST_F(OptionsTest, HelpAndVersionAreTextsToPrint) {
  EXPECT_THAT(Read<TextOptions>({"--version"}).text, HasSubstr("godwit-tunnel 0.1.0\n"));
  EXPECT_THAT(Read<TextOptions>({"--help"}).text, AllOf(HasSubstr("keygen"), HasSubstr("diag")));
  EXPECT_THAT(Read<TextOptions>({"client", "--help"}).text,
              AllOf(HasSubstr("-L"), HasSubstr("[udp:][BIND:]PORT:HOST:HOSTPORT"),
                    HasSubstr("does not repair loss")));
}

TEST_F(OptionsTest, KeygenHasADefaultFile) {
  EXPECT_EQ(Read<KeygenOptions>({"keygen"}).key_file, "/config/godwit-tunnel/key.pem");

  const auto options = Read<KeygenOptions>({"keygen", "--key", "k", "--type", "p256", "--force"});
  EXPECT_EQ(options.key_file, "k");
  EXPECT_EQ(options.kind, KeyKind::kEcdsaP256);
  EXPECT_TRUE(options.replaces);
}

TEST_F(OptionsTest, AServerListensEverywhereAndForwardsNowhereByDefault) {
  const auto options = Read<ServerOptions>(Server({}));

  EXPECT_EQ(options.config.listen, (HostPort{"::", 4433}));
  EXPECT_THAT(options.config.allowed_clients, ElementsAre(HashOf(kFingerprint)));
  EXPECT_THAT(options.config.allowed_targets, IsEmpty());
  EXPECT_THAT(options.config.allowed_binds, IsEmpty());
  EXPECT_EQ(options.config.common.give_up, Duration::Seconds(120));
  EXPECT_EQ(options.config.common.keep_alive, Duration::Seconds(15));
  EXPECT_EQ(options.run.key_file, "/config/godwit-tunnel/key.pem");
  EXPECT_FALSE(options.run.metrics_listener.has_value());
}

TEST_F(OptionsTest, EveryFlagOfTheServerIsRead) {
  const auto options = Read<ServerOptions>(Server({"--listen",       "127.0.0.1:443",
                                                   "--allow-client", kOtherFingerprint,
                                                   "--allow-target", "[::1]:22",
                                                   "--allow-target", "*:80",
                                                   "--allow-bind",   "*:8000-8999",
                                                   "--key",          "k.pem",
                                                   "--congestion",   "new_reno",
                                                   "--give-up",      "1h",
                                                   "--keep-alive",   "20",
                                                   "--keylog",       "keys.log",
                                                   "--tun",          "tun0",
                                                   "--address",      "10.7.0.1/24",
                                                   "--log-level",    "debug",
                                                   "--stats",        "--status-socket",
                                                   "/run/s",         "--metrics",
                                                   "127.0.0.1:9433"}));

  EXPECT_EQ(options.config.listen, (HostPort{"127.0.0.1", 443}));
  EXPECT_THAT(options.config.allowed_clients,
              ElementsAre(HashOf(kFingerprint), HashOf(kOtherFingerprint)));
  EXPECT_THAT(options.config.allowed_targets, ElementsAre("[::1]:22", "*:80"));
  EXPECT_THAT(options.config.allowed_binds, ElementsAre("*:8000-8999"));
  EXPECT_EQ(options.config.common.congestion, "new_reno");
  EXPECT_EQ(options.config.common.give_up, Duration::Seconds(3600));
  EXPECT_EQ(options.config.common.keep_alive, Duration::Seconds(20));
  EXPECT_EQ(options.config.common.keylog_file, "keys.log");
  EXPECT_EQ(options.config.common.tun->name, "tun0");
  EXPECT_EQ(options.config.common.tun->address, "10.7.0.1/24");
  EXPECT_EQ(options.run.key_file, "k.pem");
  EXPECT_EQ(options.run.log_level, "debug");
  EXPECT_TRUE(options.run.shows_stats);
  EXPECT_EQ(options.run.status_socket, "/run/s");
  EXPECT_EQ(*options.run.metrics_listener, (HostPort{"127.0.0.1", 9433}));
}

TEST_F(OptionsTest, EveryForwardOfTheClientIsRead) {
  const auto options =
      Read<ClientOptions>(Client({"-L", "8080:localhost:80", "-L", "udp:53:[::1]:53", "-R",
                                  "[::1]:22:localhost:22", "-D", "1080", "--socks", "[::1]:1080"}));

  EXPECT_EQ(options.config.server, (HostPort{"example.org", 4433}));
  EXPECT_EQ(options.config.server_key, HashOf(kFingerprint));
  EXPECT_THAT(options.config.local_forwards,
              ElementsAre(Forward{ForwardProtocol::kTcp, {"127.0.0.1", 8080}, {"localhost", 80}},
                          Forward{ForwardProtocol::kUdp, {"127.0.0.1", 53}, {"::1", 53}}));
  EXPECT_THAT(options.config.remote_forwards,
              ElementsAre(Forward{ForwardProtocol::kTcp, {"::1", 22}, {"localhost", 22}}));
  EXPECT_THAT(options.config.socks_listeners,
              ElementsAre(HostPort{"127.0.0.1", 1080}, HostPort{"::1", 1080}));
}

TEST_F(OptionsTest, StatusPingAndDiagAreRead) {
  const auto status = Read<StatusOptions>({"status", "--json", "--status-socket", "/run/s"});
  EXPECT_TRUE(status.is_json);
  EXPECT_EQ(status.status_socket, "/run/s");

  const auto ping = Read<PingOptions>(
      {"ping", "h:1", "--server-key", kFingerprint, "--count", "3", "--interval", "200ms"});
  EXPECT_EQ(ping.server, (HostPort{"h", 1}));
  EXPECT_EQ(ping.count, 3u);
  EXPECT_EQ(ping.interval, Duration::Milliseconds(200));

  EXPECT_FALSE(Read<DiagOptions>({"diag"}).server.has_value());
  EXPECT_EQ(*Read<DiagOptions>({"diag", "h"}).server, (HostPort{"h", 4433}));
}

TEST_F(OptionsTest, AFileSaysWhatFlagsSay) {
  const std::string file = File(R"(
    server = "example.org:443"
    server-key = ")" + kFingerprint +
                                R"("
    local = ["8080:localhost:80", "udp:53:[::1]:53"]
    remote = "22:localhost:22"
    socks = [1080]
    key = "k.pem"
    congestion = "new_reno"
    give-up = 60
    keep-alive = "5s"
    keylog = "keys.log"
    tun = "tun0"
    address = "10.7.0.2/24"
    log-level = "warning"
    stats = true
    status-socket = "/run/s"
    metrics = "[::1]:9433"
  )");
  const auto from_file = Read<ClientOptions>({"client", "--config", file});
  const auto from_flags = Read<ClientOptions>({"client",       "example.org:443",
                                               "--server-key", kFingerprint,
                                               "-L",           "8080:localhost:80",
                                               "-L",           "udp:53:[::1]:53",
                                               "-R",           "22:localhost:22",
                                               "-D",           "1080",
                                               "--key",        "k.pem",
                                               "--congestion", "new_reno",
                                               "--give-up",    "60",
                                               "--keep-alive", "5s",
                                               "--keylog",     "keys.log",
                                               "--tun",        "tun0",
                                               "--address",    "10.7.0.2/24",
                                               "--log-level",  "warning",
                                               "--stats",      "--status-socket",
                                               "/run/s",       "--metrics",
                                               "[::1]:9433"});

  EXPECT_EQ(from_file.config.server, from_flags.config.server);
  EXPECT_EQ(from_file.config.server_key, from_flags.config.server_key);
  EXPECT_EQ(from_file.config.local_forwards, from_flags.config.local_forwards);
  EXPECT_EQ(from_file.config.remote_forwards, from_flags.config.remote_forwards);
  EXPECT_EQ(from_file.config.socks_listeners, from_flags.config.socks_listeners);
  EXPECT_EQ(from_file.config.common.congestion, from_flags.config.common.congestion);
  EXPECT_EQ(from_file.config.common.give_up, from_flags.config.common.give_up);
  EXPECT_EQ(from_file.config.common.keep_alive, from_flags.config.common.keep_alive);
  EXPECT_EQ(from_file.config.common.keylog_file, from_flags.config.common.keylog_file);
  EXPECT_EQ(from_file.config.common.tun->name, from_flags.config.common.tun->name);
  EXPECT_EQ(from_file.config.common.tun->address, from_flags.config.common.tun->address);
  EXPECT_EQ(from_file.run.key_file, from_flags.run.key_file);
  EXPECT_EQ(from_file.run.log_level, from_flags.run.log_level);
  EXPECT_EQ(from_file.run.shows_stats, from_flags.run.shows_stats);
  EXPECT_EQ(from_file.run.status_socket, from_flags.run.status_socket);
  EXPECT_EQ(from_file.run.metrics_listener, from_flags.run.metrics_listener);
  EXPECT_EQ(from_file.config.local_forwards.size(), 2u);
  EXPECT_EQ(from_file.config.common.give_up, Duration::Seconds(60));
  EXPECT_TRUE(from_file.run.shows_stats);
}

TEST_F(OptionsTest, AFileSaysWhatFlagsOfTheServerSay) {
  const std::string file = File("listen = \"127.0.0.1:443\"\nallow-client = [\"" + kFingerprint +
                                "\"]\nallow-target = [\"[::1]:22\", \"*:80\"]\n"
                                "allow-bind = [\"*:8080\"]\n");

  const auto options = Read<ServerOptions>({"server", "--config", file});

  EXPECT_EQ(options.config.listen, (HostPort{"127.0.0.1", 443}));
  EXPECT_THAT(options.config.allowed_clients, ElementsAre(HashOf(kFingerprint)));
  EXPECT_THAT(options.config.allowed_targets, ElementsAre("[::1]:22", "*:80"));
  EXPECT_THAT(options.config.allowed_binds, ElementsAre("*:8080"));
}

TEST_F(OptionsTest, AFlagWinsOverTheFileAlsoAWholeList) {
  const std::string file = File("allow-client = [\"" + kOtherFingerprint + "\", \"" + kFingerprint +
                                "\"]\ngive-up = \"1h\"\nkeep-alive = 20\nstats = false\n");

  const auto options =
      Read<ServerOptions>(Server({"--config", file, "--give-up", "30s", "--stats"}));

  EXPECT_THAT(options.config.allowed_clients, ElementsAre(HashOf(kFingerprint)));
  EXPECT_EQ(options.config.common.give_up, Duration::Seconds(30));
  EXPECT_EQ(options.config.common.keep_alive, Duration::Seconds(20));
  EXPECT_TRUE(options.run.shows_stats);
}

TEST_F(OptionsTest, ErrorsInAFileNameFileAndLine) {
  const std::string path = folder_ + "/tunnel.toml";
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"stats = true\nlisten = [", path + ":2"},
      {"a = 1\n", path + ":1: server has no flag --a"},
      {"\n\nconfig = \"x\"\n", path + ":3: server has no flag --config"},
      {"help = true\n", "server has no flag --help"},
      {"local = \"1:a:2\"\n", "server has no flag --local"},
      {"L = \"1:a:2\"\n", "server has no flag --L"},
      {"stats = \"yes\"\n", path + ":1: stats must be true or false"},
      {"listen = true\n", path + ":1: listen must not be true or false"},
      {"listen = [\"[::]:1\"]\n", path + ":1: listen must be one value"},
      {"give-up = 1.5\n", path + ":1: the value of give-up must be"},
      {"allow-target = [true]\n", path + ":1: the value of allow-target must be"},
      {"[server]\nlisten = \"[::]:1\"\n", path + ":1: the value of server must be"},
      {"stats = true\nstats = true\n", path + ":2"},
  };

  for (const auto& [content, problem] : cases) {
    EXPECT_THAT(ErrorOf(Server({"--config", File(content)})), HasSubstr(problem)) << content;
  }
  EXPECT_THAT(ErrorOf(Server({"--config", "/none"})),
              AllOf(HasSubstr("\"/none\""), HasSubstr("No such file")));
}

TEST_F(OptionsTest, WrongUseIsNamedWithWhatWouldBeRight) {
  const std::vector<std::pair<Arguments, std::string>> cases = {
      {{}, "say what to do: keygen, server, client, status, ping or diag"},
      {{"serve"}, "there is no command \"serve\""},
      {{"--frobnicate"}, "--frobnicate"},
      {{"keygen", "--frobnicate"}, "there is no flag \"--frobnicate\"; see: godwit-tunnel keygen"},
      {{"keygen", "extra"}, "too many arguments: \"extra\""},
      {{"keygen", "--key"}, "--key"},
      {{"keygen", "--key", "a", "--key", "b"}, "--key"},
      {{"keygen", "--type", "rsa"}, "bad --type \"rsa\": write ed25519 or p256"},
      {{"server"}, "--allow-client SHA256:..."},
      {{"server", "--allow-client", "abc"}, "bad --allow-client \"abc\""},
      {Server({"--listen", "4433"}), "bad --listen \"4433\""},
      {Server({"--allow-target", "host"}), "bad pattern \"host\": it has no port"},
      {Server({"--allow-target", "[::1]"}), "bad pattern \"[::1]\""},
      {Server({"--allow-bind", "host:80"}), "bad pattern \"host:80\": one binds to addresses"},
      {Server({"--give-up", "0"}), "bad --give-up \"0\": write a time from 1s to 24h"},
      {Server({"--give-up", "25h"}), "bad --give-up \"25h\""},
      {Server({"--give-up", "1.5s"}), "bad --give-up \"1.5s\""},
      {Server({"--give-up", "9999999999999999999"}), "bad --give-up"},
      {Server({"--keep-alive", "100ms"}), "bad --keep-alive \"100ms\""},
      {Server({"--log-level", "loud"}), "write debug, info, warning or error"},
      {Server({"--metrics", "9433"}), "bad --metrics \"9433\""},
      {Server({"--tun", "tun0"}), "--address CIDR"},
      {Server({"--address", "10.0.0.1/8"}), "--tun NAME"},
      {Server({"--tun", "a/b", "--address", "10.0.0.1/8"}), "bad --tun \"a/b\""},
      {Server({"--tun", "tun0", "--address", "10.0.0.1"}), "bad --address \"10.0.0.1\""},
      {Server({"--tun", "tun0", "--address", "10.0.0.1/33"}), "bad --address \"10.0.0.1/33\""},
      {Server({"--stats", "-L", "1:a:2"}), "there is no flag \"-L\""},
      {{"client"}, "say which server"},
      {{"client", "h"}, "--server-key SHA256:..."},
      {{"client", "h", "--server-key", "x"}, "bad --server-key \"x\""},
      {{"client", "h:x", "--server-key", kFingerprint}, "bad SERVER \"h:x\""},
      {{"client", "a", "b", "--server-key", kFingerprint}, "too many arguments: \"b\""},
      {Client({}), "say what to forward: -L, -R, -D or --tun"},
      {Client({"-L", "8080"}), "bad -L \"8080\": it has too few parts"},
      {Client({"-R", "8080:a"}), "bad -R \"8080:a\": it has too few parts"},
      {Client({"-D", "a:b:c"}), "bad -D \"a:b:c\""},
      {Client({"-L", "1:a:2", "3:b:4"}), "too many arguments: \"3:b:4\""},
      {{"ping", "h", "--server-key", kFingerprint, "--count", "0"}, "bad --count \"0\""},
      {{"ping", "h", "--server-key", kFingerprint, "--count", "x"}, "bad --count \"x\""},
      {{"ping", "h", "--server-key", kFingerprint, "--interval", "1ms"}, "bad --interval \"1ms\""},
      {{"ping"}, "say which server"},
      {{"diag", "a:b:c"}, "bad SERVER \"a:b:c\""},
      {{"status", "--frobnicate"}, "there is no flag \"--frobnicate\""},
  };

  for (const auto& [arguments, problem] : cases) {
    EXPECT_THAT(ErrorOf(arguments), HasSubstr(problem));
  }
}

TEST_F(OptionsTest, AValueThatIsEmptyIsNotTakenForNone) {
  for (const std::string flag : {"--give-up", "--congestion", "--key", "--metrics"}) {
    EXPECT_THAT(ErrorOf(Client({"-D", "1080", flag, ""})), HasSubstr(flag + ": it has no value"));
  }
}

TEST_F(OptionsTest, AFlagThatIsGivenTwiceOrWithoutItsValueIsNamed) {
  EXPECT_THAT(ErrorOf(Client({"-D", "1080", "--give-up", "1s", "--give-up", "2s"})),
              HasSubstr("--give-up is given more than once"));
  EXPECT_THAT(ErrorOf(Client({"-D"})), HasSubstr("--socks needs a value behind it"));
}

TEST_F(OptionsTest, AFolderIsNoConfiguration) {
  EXPECT_THAT(ErrorOf(Client({"-D", "1080", "--config", "/"})),
              AllOf(HasSubstr("cannot read the configuration \"/\""), HasSubstr("directory")));
}

}  // namespace
}  // namespace godwit::tunnel
