// SPDX-License-Identifier: Apache-2.0
#include "tunnel/status_report.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <map>
#include <nlohmann/json.hpp>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

#include "tunnel/fingerprint.h"
#include "tunnel/forward_spec.h"
#include "tunnel/printable.h"

namespace godwit::tunnel {
namespace {

using Json = nlohmann::ordered_json;

double Milliseconds(Duration time) { return time.ToSecondsDouble() * 1e3; }

double Percent(uint64_t part, uint64_t whole) {
  return whole == 0 ? 0.0 : 100.0 * static_cast<double>(part) / static_cast<double>(whole);
}

Json PeerJson(const TunnelPeerStatus& peer) {
  const ConnectionStats& transport = peer.transport;
  return {
      {"key", FormatFingerprint(peer.key)},
      {"address", peer.address.ToString()},
      {"local", peer.local.ToString()},
      {"connected_seconds", peer.connected_for.ToSecondsDouble()},
      {"rtt_ms", Milliseconds(transport.smoothed_rtt)},
      {"min_rtt_ms", Milliseconds(transport.min_rtt)},
      {"latest_rtt_ms", Milliseconds(transport.latest_rtt)},
      {"packets_sent", transport.packets_sent},
      {"packets_lost", transport.packets_lost},
      {"loss_percent", Percent(transport.packets_lost, transport.packets_sent)},
      {"wire_bytes_sent", transport.bytes_sent},
      {"wire_bytes_received", transport.bytes_received},
      {"datagrams_sent", transport.datagrams_sent},
      {"trains_sent", transport.trains_sent},
      {"train_datagrams_sent", transport.train_datagrams_sent},
      {"ect0_packets_received", transport.ect0_packets_received},
      {"ect1_packets_received", transport.ect1_packets_received},
      {"ce_packets_received", transport.ce_packets_received},
      {"congestion", std::string(transport.congestion_controller)},
      {"congestion_window_bytes", transport.congestion_window_bytes},
      {"bytes_in_flight", transport.bytes_in_flight},
      {"mtu", transport.max_datagram_bytes},
      {"max_udp_payload_bytes", peer.max_udp_payload_bytes},
      {"path_changes", transport.path_changes},
      {"bytes_to_peer", peer.bytes.bytes_to_peer},
      {"bytes_from_peer", peer.bytes.bytes_from_peer},
      {"tcp_flows", peer.tcp_flows},
      {"udp_flows", peer.udp_flows},
      {"flows_opened", peer.flows_opened},
  };
}

Json RemoteForwardJson(const RemoteForwardStatus& remote) {
  return {
      {"forward", ToText(remote.forward)},
      {"is_answered", remote.is_answered},
      {"status", std::string(ToString(remote.status))},
      {"bound", remote.bound.ToString()},
      {"text", remote.text},
  };
}

// Of `json`, or what a missing key means.
template <typename T>
T Get(const Json& json, const char* key) {
  return json.value(key, T());
}

std::string DescribePeer(const Json& peer) {
  return absl::StrFormat(
      "  peer %s at %s, connected for %s\n"
      "    rtt %.1f ms (least %.1f), loss %.2f %%, mtu %d, %s, moved %d times\n"
      "    sent %s, received %s; open: %d TCP, %d UDP; %d flows so far\n",
      Get<std::string>(peer, "key"), Get<std::string>(peer, "address"),
      DescribeDuration(Duration::Milliseconds(
          static_cast<int64_t>(Get<double>(peer, "connected_seconds") * 1e3))),
      Get<double>(peer, "rtt_ms"), Get<double>(peer, "min_rtt_ms"),
      Get<double>(peer, "loss_percent"), Get<uint64_t>(peer, "mtu"),
      Get<std::string>(peer, "congestion"), Get<uint64_t>(peer, "path_changes"),
      DescribeBytes(Get<uint64_t>(peer, "bytes_to_peer")),
      DescribeBytes(Get<uint64_t>(peer, "bytes_from_peer")), Get<uint64_t>(peer, "tcp_flows"),
      Get<uint64_t>(peer, "udp_flows"), Get<uint64_t>(peer, "flows_opened"));
}

std::string DescribeRemoteForward(const Json& remote) {
  const std::string text = Get<std::string>(remote, "text");
  const std::string state =
      Get<bool>(remote, "is_answered") ? Get<std::string>(remote, "status") : "not answered yet";
  return absl::StrCat("  -R ", Get<std::string>(remote, "forward"), ": ", state,
                      text.empty() ? "" : ": ", text, "\n");
}

std::string Describe(const Json& json) {
  const bool is_up = Get<bool>(json, "is_up");
  const auto up_ms = static_cast<int64_t>(Get<double>(json, "up_seconds") * 1e3);
  std::string text = absl::StrCat(
      Get<std::string>(json, "role"), " ", Get<std::string>(json, "endpoint"), " (process ",
      Get<int>(json, "process_id"), "): ", is_up ? "up for " : "not connected",
      is_up ? DescribeDuration(Duration::Milliseconds(up_ms)) : "", "\n");
  for (const Json& peer : Get<Json>(json, "peers")) text += DescribePeer(peer);
  for (const Json& remote : Get<Json>(json, "remote_forwards")) {
    text += DescribeRemoteForward(remote);
  }
  if (json.contains("tun")) {
    absl::StrAppend(&text, "  tun ", Get<std::string>(json["tun"], "name"), " ",
                    Get<std::string>(json["tun"], "address"),
                    ": does not repair loss; -L and -D do\n");
  }
  if (Get<uint64_t>(json, "waiting") > 0) {
    absl::StrAppend(&text, "  ", Get<uint64_t>(json, "waiting"), " connections wait for it\n");
  }
  const std::string error = Get<std::string>(json, "last_error");
  if (!error.empty()) absl::StrAppend(&text, "  last error: ", error, "\n");
  return text;
}

// One family of Prometheus' text format.
class Family {
 public:
  Family(std::string& text, const std::string& name, const char* type, const char* help)
      : text_(text), name_(absl::StrCat("godwit_tunnel_", name)) {
    absl::StrAppend(&text_, "# HELP ", name_, " ", help, "\n# TYPE ", name_, " ", type, "\n");
  }

  template <typename T>
  Family& Add(const std::string& labels, T value) {
    absl::StrAppend(&text_, name_, labels.empty() ? "" : "{", labels, labels.empty() ? " " : "} ",
                    value, "\n");
    return *this;
  }

 private:
  std::string& text_;
  const std::string name_;
};

// Prometheus takes no page on which two values have the same labels. A client that is back while
// its connection of before has not timed out has two: the newer one counts.
std::map<std::string, const TunnelPeerStatus*> ByLabels(
    const std::vector<TunnelPeerStatus>& peers) {
  std::map<std::string, const TunnelPeerStatus*> by_labels;
  for (const TunnelPeerStatus& peer : peers) {
    const TunnelPeerStatus*& place = by_labels[absl::StrCat(
        "key=\"", FormatFingerprint(peer.key), "\",address=\"", peer.address.ToString(), "\"")];
    if (place == nullptr || peer.connected_for < place->connected_for) place = &peer;
  }
  return by_labels;
}

void AddPeers(const std::vector<TunnelPeerStatus>& peers, std::string& text) {
  struct Gauge {
    const char* name;
    const char* type;
    const char* help;
    double (*value)(const TunnelPeerStatus& peer);
  };
  static constexpr std::array kGauges = {
      Gauge{"peer_rtt_seconds", "gauge", "Smoothed round-trip time.",
            [](const TunnelPeerStatus& p) { return p.transport.smoothed_rtt.ToSecondsDouble(); }},
      Gauge{"peer_packets_sent_total", "counter", "QUIC packets sent.",
            [](const TunnelPeerStatus& p) { return double(p.transport.packets_sent); }},
      Gauge{"peer_packets_lost_total", "counter", "QUIC packets that were lost.",
            [](const TunnelPeerStatus& p) { return double(p.transport.packets_lost); }},
      Gauge{"peer_wire_bytes_sent_total", "counter", "Bytes of UDP payload sent.",
            [](const TunnelPeerStatus& p) { return double(p.transport.bytes_sent); }},
      Gauge{"peer_wire_bytes_received_total", "counter", "Bytes of UDP payload received.",
            [](const TunnelPeerStatus& p) { return double(p.transport.bytes_received); }},
      Gauge{"peer_datagrams_sent_total", "counter", "UDP datagrams sent.",
            [](const TunnelPeerStatus& p) { return double(p.transport.datagrams_sent); }},
      Gauge{"peer_trains_sent_total", "counter", "Trains of two datagrams and more.",
            [](const TunnelPeerStatus& p) { return double(p.transport.trains_sent); }},
      Gauge{"peer_train_datagrams_sent_total", "counter", "UDP datagrams in these trains.",
            [](const TunnelPeerStatus& p) { return double(p.transport.train_datagrams_sent); }},
      Gauge{"peer_ect0_packets_received_total", "counter", "QUIC packets that came with ECT(0).",
            [](const TunnelPeerStatus& p) { return double(p.transport.ect0_packets_received); }},
      Gauge{"peer_ect1_packets_received_total", "counter", "QUIC packets that came with ECT(1).",
            [](const TunnelPeerStatus& p) { return double(p.transport.ect1_packets_received); }},
      Gauge{"peer_ce_packets_received_total", "counter",
            "QUIC packets that came with CE: a router saw congestion.",
            [](const TunnelPeerStatus& p) { return double(p.transport.ce_packets_received); }},
      Gauge{"peer_congestion_window_bytes", "gauge", "Congestion window.",
            [](const TunnelPeerStatus& p) { return double(p.transport.congestion_window_bytes); }},
      Gauge{"peer_mtu_bytes", "gauge", "Largest datagram of the path.",
            [](const TunnelPeerStatus& p) { return double(p.transport.max_datagram_bytes); }},
      Gauge{"peer_tcp_flows", "gauge", "TCP connections carried.",
            [](const TunnelPeerStatus& p) { return double(p.tcp_flows); }},
      Gauge{"peer_udp_flows", "gauge", "UDP flows carried.",
            [](const TunnelPeerStatus& p) { return double(p.udp_flows); }},
  };
  const std::map<std::string, const TunnelPeerStatus*> by_labels = ByLabels(peers);
  for (const Gauge& gauge : kGauges) {
    Family family(text, gauge.name, gauge.type, gauge.help);
    for (const auto& [labels, peer] : by_labels) {
      family.Add(labels, absl::StrFormat("%.15g", gauge.value(*peer)));
    }
  }
}

}  // namespace

std::string StatusJson(const TunnelFacts& facts, const TunnelStatus& status) {
  Json json = {
      {"role", facts.role},
      {"endpoint", facts.endpoint},
      {"process_id", facts.process_id},
      {"is_up", status.is_up},
      {"up_seconds", status.up_for.ToSecondsDouble()},
      {"bytes_to_peers", status.bytes.bytes_to_peer},
      {"bytes_from_peers", status.bytes.bytes_from_peer},
      {"flows_opened", status.flows_opened},
      {"connections", status.connections},
      {"waiting", status.waiting},
      {"last_error", status.last_error},
      {"peers", Json::array()},
      {"remote_forwards", Json::array()},
  };
  for (const TunnelPeerStatus& peer : status.peers) json["peers"].push_back(PeerJson(peer));
  for (const RemoteForwardStatus& remote : status.remote_forwards) {
    json["remote_forwards"].push_back(RemoteForwardJson(remote));
  }
  if (facts.tun) {
    json["tun"] = {
        {"name", facts.tun->name}, {"address", facts.tun->address}, {"repairs_loss", false}};
  }
  // Peers' words need not be UTF-8.
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

absl::StatusOr<std::string> DescribeStatusJson(std::string_view text) {
  try {
    // Peers' words are in it, and whoever answers on a socket may be no tunnel.
    return Printable(Describe(Json::parse(text)), true);
  } catch (const Json::exception&) {
    return absl::InvalidArgumentError("what answers is no godwit-tunnel");
  }
}

std::string PrometheusText(const TunnelFacts& facts, const TunnelStatus& status) {
  std::string text;
  const std::string role = absl::StrCat("role=\"", facts.role, "\"");
  Family(text, "up", "gauge", "1: the client is connected, or the server listens.")
      .Add(role, status.is_up ? 1 : 0);
  Family(text, "peers", "gauge", "Connections now.").Add(role, status.peers.size());
  Family(text, "connections_total", "counter", "Connections so far.").Add(role, status.connections);
  Family(text, "flows_opened_total", "counter", "Flows so far.").Add(role, status.flows_opened);
  Family(text, "waiting", "gauge", "TCP connections that wait for the tunnel.")
      .Add(role, status.waiting);
  Family(text, "flow_bytes_total", "counter", "Bytes of applications.")
      .Add(role + ",direction=\"to_peer\"", status.bytes.bytes_to_peer)
      .Add(role + ",direction=\"from_peer\"", status.bytes.bytes_from_peer);
  AddPeers(status.peers, text);
  return text;
}

std::string StatsLine::Next(const TunnelStatus& status, Timestamp now) {
  Counts counts = {.at = now,
                   .bytes_to_peers = status.bytes.bytes_to_peer,
                   .bytes_from_peers = status.bytes.bytes_from_peer};
  uint64_t flows = 0;
  for (const TunnelPeerStatus& peer : status.peers) {
    counts.packets_sent += peer.transport.packets_sent;
    counts.packets_lost += peer.transport.packets_lost;
    flows += peer.tcp_flows + peer.udp_flows;
  }
  // Fewer than before: a peer has gone, and its packets with it.
  Counts before = last_.value_or(Counts{.at = now});
  if (counts.packets_sent < before.packets_sent || counts.packets_lost < before.packets_lost) {
    before.packets_sent = before.packets_lost = 0;
  }
  last_ = counts;
  if (status.peers.empty()) {
    if (status.is_up) return "no clients";
    return status.last_error.empty() ? "not connected"
                                     : absl::StrCat("not connected: ", status.last_error);
  }
  const TunnelPeerStatus& peer = status.peers.front();
  const Duration time = now - before.at;
  std::string line = absl::StrFormat(
      "rtt %.1f ms | loss %.2f %% | up %s | down %s | %d streams | mtu %d | ",
      Milliseconds(peer.transport.smoothed_rtt),
      Percent(counts.packets_lost - before.packets_lost, counts.packets_sent - before.packets_sent),
      DescribeRate(counts.bytes_to_peers - before.bytes_to_peers, time),
      DescribeRate(counts.bytes_from_peers - before.bytes_from_peers, time), flows,
      peer.transport.max_datagram_bytes);
  const size_t others = status.peers.size() - 1;
  return absl::StrCat(line, peer.address.ToString(),
                      others == 0 ? "" : absl::StrCat(" and ", others, " more"));
}

std::string DescribeBytes(uint64_t bytes) {
  constexpr std::array<const char*, 6> kUnits = {"kB", "MB", "GB", "TB", "PB", "EB"};
  if (bytes < 1000) return absl::StrCat(bytes, " B");
  double value = static_cast<double>(bytes) / 1e3;
  size_t unit = 0;
  while (value >= 999.95 && unit + 1 < kUnits.size()) {
    value /= 1e3;
    ++unit;
  }
  return absl::StrFormat("%.1f %s", value, kUnits[unit]);
}

std::string DescribeRate(uint64_t bytes, Duration time) {
  const double seconds = time.ToSecondsDouble();
  const double bits = seconds > 0 ? static_cast<double>(bytes) * 8 / seconds : 0;
  if (bits >= 1e9) return absl::StrFormat("%.2f Gbit/s", bits / 1e9);
  if (bits >= 1e6) return absl::StrFormat("%.1f Mbit/s", bits / 1e6);
  return absl::StrFormat("%.1f kbit/s", bits / 1e3);
}

std::string DescribeDuration(Duration time) {
  const int64_t ms = std::max<int64_t>(0, time.ToMilliseconds());
  const int64_t s = ms / 1000;
  if (s < 1) return absl::StrCat(ms, "ms");
  if (s < 60) return absl::StrCat(s, "s");
  if (s < 3'600) return absl::StrFormat("%dm%02ds", s / 60, s % 60);
  if (s < 86'400) return absl::StrFormat("%dh%02dm", s / 3'600, s / 60 % 60);
  return absl::StrFormat("%dd%02dh", s / 86'400, s / 3'600 % 24);
}

}  // namespace godwit::tunnel
