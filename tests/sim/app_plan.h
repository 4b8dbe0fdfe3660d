// SPDX-License-Identifier: Apache-2.0
//
// AppPlan: what an application does with each of its connections: the streams that it opens and how
// it writes them, how it reads, how it answers, its datagrams. Bulk senders, requests and answers,
// echoes, slow readers and those that never read are all plans.
#ifndef GODWIT_TESTS_SIM_APP_PLAN_H_
#define GODWIT_TESTS_SIM_APP_PLAN_H_

#include <cstdint>
#include <limits>
#include <optional>
#include <vector>

#include "godwit/stream_id.h"
#include "godwit/stream_priority.h"
#include "godwit/time.h"

namespace godwit {

inline constexpr uint64_t kNeverBytes = std::numeric_limits<uint64_t>::max();

// A stream that the application opens.
struct StreamPlan {
  StreamDirection direction = StreamDirection::kBidirectional;
  uint64_t bytes = 0;
  // Bytes of one write, and the time between two; without one it writes as much as is taken.
  uint64_t write_bytes = 16'384;
  Duration write_interval = Duration::Zero();
  bool writes_cords = false;
  // After the handshake.
  Duration start_after = Duration::Zero();
  // Resets the stream when so many bytes are written.
  uint64_t reset_at = kNeverBytes;
  StreamPriority priority = {};
};

struct ReadPlan {
  enum class Speed : uint8_t { kEager, kSlow, kNever };

  Speed speed = Speed::kEager;
  // Of a slow reader: on each stream so many bytes at each interval.
  uint64_t bytes = 4'096;
  Duration interval = Duration::Milliseconds(10);
  // Asks the peer to stop when so many bytes are read.
  uint64_t stop_at = kNeverBytes;
};

// To bidirectional streams of the peer.
struct AnswerPlan {
  enum class Kind : uint8_t {
    kEmpty,  // Ends its direction at once.
    kEcho,   // As many bytes as it has read.
    kBytes,  // So many, when the request has ended.
  };

  Kind kind = Kind::kEmpty;
  uint64_t bytes = 0;
};

struct DatagramPlan {
  uint64_t count = 0;
  uint64_t bytes = 1'000;  // Each; cut to what is allowed.
  uint64_t at_a_time = 1;
  Duration interval = Duration::Milliseconds(10);
};

struct AppPlan {
  std::vector<StreamPlan> streams = {};
  ReadPlan reads = {};
  AnswerPlan answers = {};
  DatagramPlan datagrams = {};
};

// `count` streams alike.
inline std::vector<StreamPlan> Streams(uint64_t count, const StreamPlan& plan) {
  return std::vector<StreamPlan>(count, plan);
}

// One unidirectional stream of `bytes`.
inline std::vector<StreamPlan> Bulk(uint64_t bytes) {
  return {{.direction = StreamDirection::kUnidirectional, .bytes = bytes}};
}

}  // namespace godwit

#endif  // GODWIT_TESTS_SIM_APP_PLAN_H_
