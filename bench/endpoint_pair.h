// SPDX-License-Identifier: Apache-2.0
//
// EndpointPair: two endpoints in one process, without sockets, one of which sends a stream without
// end to the other: what a transfer costs besides the network. Time is virtual and goes on by a
// tick for each train; a train takes some ticks to arrive, and so do acknowledgments, so that as
// much is in flight as on a real path.
//
// The two sides' work is in two functions of their own, so that a clock or an instruction counter
// can tell them apart. Copying datagrams from one to the other, the network's part, is in neither.
#ifndef GODWIT_BENCH_ENDPOINT_PAIR_H_
#define GODWIT_BENCH_ENDPOINT_PAIR_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "base/seeded_random.h"
#include "crypto/cipher_suite.h"
#include "crypto/deterministic_tls_session.h"
#include "godwit/datagram.h"
#include "godwit/time.h"
#include "transport/endpoint/endpoint.h"

namespace godwit {

class EndpointPair {
 public:
  struct Options {
    CipherSuite suite = CipherSuite::kAes128GcmSha256;
    std::string_view congestion_controller = kCubic;
    size_t ticks_in_flight = 4;  // Each way.
  };

  explicit EndpointPair(const Options& options);

  // The handshake, and as much data as it takes until the path's MTU is found and windows have
  // their size.
  void WarmUp(int ticks);

  // One train from the sender to the receiver, and what comes back. Says how many full packets the
  // sender sent.
  size_t Tick();

  // The parts of Tick() that are measured.
  struct Nanoseconds {
    int64_t sender = 0;
    int64_t receiver = 0;
  };
  const Nanoseconds& spent() const { return spent_; }
  void ResetSpent() { spent_ = {}; }

  uint64_t received_bytes() const { return received_bytes_; }
  ConnectionStats sender_stats();

 private:
  struct Side {
    std::unique_ptr<SeededRandom> random;
    std::unique_ptr<Endpoint> endpoint;
    ConnectionHandle connection;
    bool is_connected = false;
    FourTuple incoming;  // As its datagrams arrive.
  };
  // Datagrams under way, in memory of their own.
  struct Train {
    Timestamp arrives_at;
    std::vector<uint8_t> bytes;
    std::vector<size_t> sizes;
  };
  using Link = std::vector<Train>;  // A few at a time, the oldest first.

  void Send(const Transmit& transmit, Link& link);
  // Takes what has arrived off `link`, as datagrams of `side`.
  std::span<const ReceivedDatagram> Arrive(Link& link, const Side& side);

  // All of the sender's work: acknowledgments in, data written, one train out.
  [[gnu::noinline]] Transmit SenderTurn(std::span<const ReceivedDatagram> acknowledgments);
  // All of the receiver's work: datagrams in, data read, acknowledgments out.
  [[gnu::noinline]] Transmit ReceiverTurn(std::span<const ReceivedDatagram> datagrams);
  void WriteMore(Connection& connection);
  void ReadAll(Connection& connection, StreamId id);

  Options options_;
  DeterministicTlsClients tls_clients_;
  DeterministicTlsServers tls_servers_;
  Timestamp now_;
  Side sender_;
  Side receiver_;
  Link to_receiver_;
  Link to_sender_;
  std::vector<Train> arrived_;
  std::vector<Train> spare_;
  std::vector<ReceivedDatagram> datagrams_;
  std::optional<StreamId> stream_;
  std::vector<uint8_t> source_;
  uint64_t received_bytes_ = 0;
  Nanoseconds spent_;
};

}  // namespace godwit

#endif  // GODWIT_BENCH_ENDPOINT_PAIR_H_
