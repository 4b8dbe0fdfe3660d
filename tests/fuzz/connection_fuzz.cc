// SPDX-License-Identifier: Apache-2.0
//
// Drives one whole connection, mostly a server's, by a peer that has all the keys: an input is a
// script of packets with good and bad frames, changed before they are sealed or after, of raw
// datagrams, losses, replays, time, addresses, and of what the application does. The connection's
// invariants hold after every step, what it keeps and what it sends to a stranger is bounded.
//
// The first byte chooses the connection, see OptionsOf(); each operation is a byte, the number of
// an Operation, with what it takes behind it. tests/fuzz/make_connection_corpus.py writes the
// seeds.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <iterator>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "base/check.h"
#include "congestion/builtin_controllers.h"
#include "tests/transport/connection/puppet_stage.h"
#include "tests/transport/connection/raw_frames.h"
#include "tests/transport/delivery/operation_bytes.h"

namespace godwit {
namespace {

constexpr size_t kMaxScriptBytes = 4096;
constexpr size_t kMaxOperations = 500;
constexpr size_t kMaxPayloadBytes = 1300;
constexpr size_t kMaxRemembered = 16;
constexpr uint64_t kMaxSendBufferBytes = 100'000;
constexpr uint64_t kMaxWindowBytes = 200'000;
// Streams, datagrams of both directions, CRYPTO data, packets that wait for keys.
constexpr uint64_t kMaxHeldBytes = 1'500'000;

enum class Operation : uint8_t {
  kFlight,        // What an honest peer would say.
  kOneRttFrames,  // A packet with frames.
  kHandshakeFrames,
  kInitialFrames,
  kPayload,   // A packet with any bytes.
  kDamaged,   // A packet with frames, damaged after it was sealed.
  kDatagram,  // Any bytes.
  kReplay,
  kTime,
  kRead,  // The puppet reads what is sent,
  kLose,  // or nobody does.
  kWrite,
  kConsume,
  kEndStream,
  kSendDatagram,
  kAppCall,
  kMove,
  kAck,
  kHeader,  // Of the packets that follow.
  kAnswerPath,
  kCount,
};

StageOptions OptionsOf(uint8_t byte) {
  StageOptions options;
  options.subject = (byte & 0x01) != 0 ? Perspective::kClient : Perspective::kServer;
  options.gives_connection_ids = (byte & 0x04) == 0;
  options.puppet_id_bytes = (byte & 0x08) != 0 ? 0 : 8;
  options.subject_id_bytes = (byte & 0x11) == 0x11 ? 0 : 8;
  if ((byte & 0x20) != 0) options.subject_tls.certificate_bytes = 6'000;
  if ((byte & 0x20) != 0) options.puppet_tls.client_hello_bytes = 1'800;
  const bool is_narrow = (byte & 0x40) != 0;
  StreamConfig& streams = options.config.streams;
  streams.initial_max_data = is_narrow ? 2'000 : kMaxWindowBytes;
  streams.initial_max_stream_data_bidi_local = is_narrow ? 1'000 : 100'000;
  streams.initial_max_stream_data_bidi_remote = is_narrow ? 1'000 : 100'000;
  streams.initial_max_stream_data_uni = is_narrow ? 1'000 : 100'000;
  streams.max_streams_bidi = is_narrow ? 2 : 20;
  streams.max_streams_uni = is_narrow ? 2 : 20;
  streams.max_connection_window_bytes = kMaxWindowBytes;
  streams.max_stream_window_bytes = kMaxWindowBytes;
  streams.max_send_buffer_bytes = kMaxSendBufferBytes;
  options.config.datagrams.max_send_bytes = 20'000;
  options.config.datagrams.max_recv_bytes = 20'000;
  if (is_narrow) options.config.max_datagram_frame_size = 0;
  if ((byte & 0x80) != 0) options.config.idle.keep_alive_interval = Duration::Seconds(5);
  return options;
}

class Script {
 public:
  explicit Script(std::span<const uint8_t> bytes)
      : in_(bytes.subspan(1)), is_server_((bytes[0] & 0x01) == 0), stage_(OptionsOf(bytes[0])) {
    if ((bytes[0] & 0x02) != 0) {
      stage_.CompleteHandshake();
      is_address_proven_ = true;
    }
  }

  void Run() {
    for (size_t i = 0; i < kMaxOperations && !in_.empty(); ++i) {
      RunOne(static_cast<Operation>(in_.Next() % static_cast<uint8_t>(Operation::kCount)));
      Check();
    }
    // Whatever was done, it ends; late if the script made the round trips long, as both the idle
    // timeout and closing wait for three PTO (RFC 9000 §10.1, §10.2).
    stage_.Advance(Duration::Seconds(100'000));
    GODWIT_CHECK(stage_.subject().close_phase() == CloseState::Phase::kClosed);
  }

 private:
  void RunOne(Operation operation);
  void RunAppOperation(Operation operation);
  void Check();

  // ---- What a script is made of ----

  uint64_t NextNumber();
  raw::Bytes NextData();
  raw::Bytes NextFrame();
  raw::Bytes NextStreamFrame(uint8_t kind);
  raw::Bytes NextFrames();
  void Mutate(raw::Bytes& bytes);

  // ---- Packets ----

  PuppetPacket PacketOf(EncryptionLevel level, raw::Bytes frames);
  void Send(EncryptionLevel level, raw::Bytes frames);
  void Deliver(raw::Bytes datagram);
  void ReadAnswers();

  // ---- Of the operations ----

  void ChooseHeader();
  void Move();
  void SendAck();
  void AnswerPath();
  void CallApp();
  void EndStream();

  OperationBytes in_;
  bool is_server_;
  PuppetStage stage_;
  std::deque<raw::Bytes> remembered_;
  std::vector<PathChallengeData> challenges_;
  std::vector<StreamId> opened_;
  PuppetPacket header_;
  std::vector<raw::Bytes> batch_;
  size_t batch_size_ = 1;
  // What came from the first address, and whether the connection may believe in it.
  uint64_t received_bytes_ = 0;
  bool is_address_proven_ = false;
  bool is_moved_ = false;
};

// ---- What a script is made of ----

uint64_t Script::NextNumber() {
  static constexpr uint64_t kNumbers[] = {63,
                                          64,
                                          255,
                                          256,
                                          999,
                                          1000,
                                          1001,
                                          4096,
                                          16383,
                                          16384,
                                          100'000,
                                          100'001,
                                          (1 << 20),
                                          (1 << 30) - 1,
                                          (1 << 30),
                                          uint64_t{1} << 32,
                                          (uint64_t{1} << 60) - 1,
                                          uint64_t{1} << 60,
                                          (uint64_t{1} << 60) + 1,
                                          (uint64_t{1} << 62) - 2,
                                          (uint64_t{1} << 62) - 1};
  const uint8_t byte = in_.Next();
  if (byte < 0xc0) return byte;
  if (byte == 0xff) return in_.Next() * 256u + in_.Next();
  return kNumbers[byte % std::size(kNumbers)];
}

raw::Bytes Script::NextData() {
  const uint8_t byte = in_.Next();
  const size_t size = byte < 200 ? byte : byte < 250 ? 4u * byte : 0u;
  raw::Bytes data(size);
  // The same for all, so that what overlaps agrees, but for one in sixteen.
  std::fill(data.begin(), data.end(), byte % 16 == 15 ? byte : 0x64);
  return data;
}

raw::Bytes Script::NextStreamFrame(uint8_t kind) {
  const uint64_t id = NextNumber();
  switch (kind % 8) {
    case 0:
      return raw::ResetStream(id, NextNumber(), NextNumber());
    case 1:
      return raw::StopSending(id, NextNumber());
    case 2:
      return raw::MaxStreamData(id, NextNumber());
    case 3:
      return raw::StreamDataBlocked(id, NextNumber());
    case 4:  // Without a length: it reaches to the end.
      return raw::Join(raw::Varints({kind >= 0x80 ? 0x0du : 0x0cu, id, NextNumber()}), NextData());
    default:
      return raw::Stream(id, NextNumber(), NextData(), kind >= 0x80);
  }
}

raw::Bytes Script::NextFrame() {
  const uint8_t kind = in_.Next();
  const uint8_t flavour = static_cast<uint8_t>(kind / 20 * 20);
  switch (kind % 20) {
    case 0:
      return raw::Padding(NextNumber() % 100);
    case 1:
      return raw::Ping();
    case 2:
      return raw::Crypto(NextNumber(), NextData());
    case 3:
      return flavour < 100 ? raw::MaxData(NextNumber()) : raw::DataBlocked(NextNumber());
    case 4:
      return flavour < 100 ? raw::MaxStreamsBidi(NextNumber()) : raw::MaxStreamsUni(NextNumber());
    case 5:
      return flavour < 100 ? raw::StreamsBlockedBidi(NextNumber())
                           : raw::StreamsBlockedUni(NextNumber());
    case 6: {
      const uint64_t sequence_number = NextNumber();
      const uint64_t retire_prior_to = NextNumber();
      return raw::NewConnectionId(sequence_number, retire_prior_to, in_.Next());
    }
    case 7:
      return raw::RetireConnectionId(NextNumber());
    case 8:
      return raw::PathChallenge(in_.Next());
    case 9:
      return raw::PathResponse(raw::Bytes(8, in_.Next()));
    case 10:
      return raw::Datagram(NextData());
    case 11:
      return flavour < 200 ? raw::HandshakeDone() : raw::NewToken(NextData());
    case 12: {
      const uint64_t largest = NextNumber();
      return raw::Ack(largest, largest - std::min(largest, NextNumber()));
    }
    case 13:  // Seldom, as it ends everything.
      if (flavour < 200) return raw::Ping();
      return raw::ConnectionClose(NextNumber(), NextNumber(), "because");
    default:
      return NextStreamFrame(kind);
  }
}

raw::Bytes Script::NextFrames() {
  raw::Bytes frames;
  const size_t count = 1 + in_.Next() % 4;
  for (size_t i = 0; i < count; ++i) raw::Append(frames, NextFrame());
  Mutate(frames);
  if (frames.size() > kMaxPayloadBytes) frames.resize(kMaxPayloadBytes);
  return frames;
}

void Script::Mutate(raw::Bytes& bytes) {
  const uint8_t how = in_.Next();
  if (how < 0xe0 || bytes.empty()) return;
  const size_t place = NextNumber() % bytes.size();
  if (how < 0xf0) {
    bytes[place] ^= in_.Next();
  } else if (how < 0xf8) {
    bytes.resize(place);
  } else {
    bytes.insert(bytes.begin() + static_cast<ptrdiff_t>(place), in_.Next());
  }
}

// ---- Packets ----

PuppetPacket Script::PacketOf(EncryptionLevel level, raw::Bytes frames) {
  PuppetPacket packet = std::exchange(header_, {});
  packet.level = level;
  packet.frames = std::move(frames);
  if (level == EncryptionLevel::kInitial && is_server_) packet.min_size = kMinInitialDatagramBytes;
  return packet;
}

void Script::Send(EncryptionLevel level, raw::Bytes frames) {
  if (!stage_.puppet().CanSeal(level)) return;
  if (level == EncryptionLevel::kHandshake) is_address_proven_ = true;
  Deliver(stage_.puppet().Seal(PacketOf(level, std::move(frames))));
}

void Script::Deliver(raw::Bytes datagram) {
  remembered_.push_back(datagram);
  if (remembered_.size() > kMaxRemembered) remembered_.pop_front();
  batch_.push_back(std::move(datagram));
  if (batch_.size() < batch_size_) return;
  if (!is_moved_) {
    for (const raw::Bytes& bytes : batch_) received_bytes_ += bytes.size();
  }
  stage_.DeliverBatch(std::exchange(batch_, {}));
  batch_size_ = 1;
}

void Script::ReadAnswers() {
  for (const SeenDatagram& datagram : stage_.Take()) {
    if (const auto* const frame = datagram.Find<PathChallengeFrame>()) {
      challenges_.push_back(frame->data);
    }
  }
}

// ---- Operations ----

void Script::RunOne(Operation operation) {
  switch (operation) {
    case Operation::kFlight: {
      const std::vector<raw::Bytes> flight = stage_.puppet().Flight();
      is_address_proven_ |= stage_.puppet().CanSeal(EncryptionLevel::kHandshake);
      for (const raw::Bytes& datagram : flight) Deliver(datagram);
      return;
    }
    case Operation::kOneRttFrames:
      return Send(EncryptionLevel::kOneRtt, NextFrames());
    case Operation::kHandshakeFrames:
      return Send(EncryptionLevel::kHandshake, NextFrames());
    case Operation::kInitialFrames:
      return Send(EncryptionLevel::kInitial, NextFrames());
    case Operation::kPayload: {
      raw::Bytes payload(in_.Next() % 64);
      for (uint8_t& byte : payload) byte = in_.Next();
      return Send(EncryptionLevel::kOneRtt, std::move(payload));
    }
    case Operation::kDamaged: {
      const auto level = static_cast<EncryptionLevel>(in_.Next() % kEncryptionLevelCount);
      if (level == EncryptionLevel::kZeroRtt || !stage_.puppet().CanSeal(level)) return;
      is_address_proven_ |= level == EncryptionLevel::kHandshake;
      raw::Bytes packet = stage_.puppet().Seal(PacketOf(level, NextFrames()));
      Mutate(packet);
      return Deliver(std::move(packet));
    }
    case Operation::kDatagram: {
      raw::Bytes datagram(in_.Next());
      for (uint8_t& byte : datagram) byte = in_.Next();
      return Deliver(std::move(datagram));
    }
    case Operation::kReplay:
      if (remembered_.empty()) return;
      return Deliver(remembered_[in_.Next() % remembered_.size()]);
    case Operation::kTime: {
      static constexpr int64_t kMicroseconds[] = {0,      1,       100,     1'000,     5'000,
                                                  25'000, 100'000, 400'000, 1'500'000, 20'000'000};
      const uint8_t byte = in_.Next();
      const Duration duration =
          Duration::Microseconds(kMicroseconds[byte % std::size(kMicroseconds)]);
      return byte < 0x80 ? stage_.Advance(duration) : stage_.Sleep(duration);
    }
    case Operation::kRead:
      return ReadAnswers();
    case Operation::kLose:
      stage_.Discard();
      return;
    default:
      return RunAppOperation(operation);
  }
}

void Script::RunAppOperation(Operation operation) {
  Connection& subject = stage_.subject();
  switch (operation) {
    case Operation::kWrite: {
      const uint8_t which = in_.Next();
      if (which >= 0x80 || opened_.empty()) {
        const auto id = subject.OpenStream(static_cast<StreamDirection>(which % 2));
        if (id.ok()) opened_.push_back(*id);
      }
      if (opened_.empty()) return;
      const raw::Bytes data(100 * in_.NextSize() % 50'000);
      static_cast<void>(subject.WriteStream(opened_[which % opened_.size()], data));
      return;
    }
    case Operation::kConsume:
      stage_.ReadAll(StreamId(in_.Next()));
      return;
    case Operation::kEndStream:
      return EndStream();
    case Operation::kSendDatagram:
      static_cast<void>(subject.SendDatagram(NextData()));
      while (subject.PeekDatagram().has_value()) subject.PopDatagram();
      return;
    case Operation::kAppCall:
      return CallApp();
    case Operation::kMove:
      return Move();
    case Operation::kAck:
      return SendAck();
    case Operation::kHeader:
      return ChooseHeader();
    case Operation::kAnswerPath:
      return AnswerPath();
    default:
      return;
  }
}

void Script::EndStream() {
  Connection& subject = stage_.subject();
  const uint8_t how = in_.Next();
  const StreamId id(in_.Next());
  switch (how % 4) {
    case 0:
      static_cast<void>(subject.FinishStream(id));
      return;
    case 1:
      static_cast<void>(subject.ResetStream(id, NextNumber()));
      return;
    case 2:
      static_cast<void>(subject.StopSending(id, NextNumber()));
      return;
    case 3:
      static_cast<void>(subject.SetStreamPriority(
          id, {.urgency = static_cast<uint8_t>(how / 4 % 8), .is_incremental = how >= 0x80}));
      return;
  }
}

void Script::CallApp() {
  Connection& subject = stage_.subject();
  switch (in_.Next() % 8) {
    case 0:
      static_cast<void>(subject.UpdateKeys(stage_.now()));
      return;
    case 1:
      return subject.RotateConnectionIds();
    case 2:
      return subject.SwitchCongestionController(*FindCongestionControllerFactory({}, kNewReno),
                                                stage_.now());
    case 3:
      return subject.OnDatagramTooLarge(1'000 + NextNumber() % 1'000, stage_.now());
    case 4:
      return subject.SetMayGrowWindows(in_.Next() % 2 == 0);
    case 5: {
      const raw::Bytes token(StatelessResetToken::kSize, in_.Next());
      static_cast<void>(subject.OnPossibleStatelessReset(
          StatelessResetToken(std::span(token).first<16>()), stage_.now()));
      return;
    }
    case 6:
      if (in_.Next() == 0) subject.Close(NextNumber(), "enough", stage_.now());
      return;
    default:
      return stage_.puppet().UpdateKeys();
  }
}

void Script::ChooseHeader() {
  const uint8_t byte = in_.Next();
  switch (byte % 8) {
    case 0:
      header_.number_size = 1 + byte / 8 % 4;
      return;
    case 1:
      header_.number =
          stage_.puppet().next_number(EncryptionLevel::kOneRtt) + NextNumber() % 10'000;
      return;
    case 2:
      header_.number = NextNumber() % 1'000;
      return;
    case 3:
      header_.first_byte_mask = in_.Next() & 0x7c;
      return;
    case 4:
      header_.generation = in_.Next() % 4;
      return;
    case 5:
      if (const auto& ids = stage_.given_ids(); !ids.empty()) {
        stage_.puppet().SetRemoteId(ids[in_.Next() % ids.size()]);
      }
      return;
    case 6:
      batch_size_ = 1 + in_.Next() % 8;
      return;
    case 7:
      header_.min_size = 100 + 10 * in_.Next();
      return;
  }
}

void Script::Move() {
  const uint8_t byte = in_.Next();
  if (byte < 0x40) {
    stage_.MovePuppet(stage_.first_path());
  } else {
    stage_.MovePuppet(byte < 0x80 ? stage_.PathWithPuppetPort(byte)
                                  : stage_.PathWithPuppetIp(byte));
  }
  is_moved_ = byte >= 0x40;
}

void Script::SendAck() {
  const uint8_t byte = in_.Next();
  const auto level = static_cast<EncryptionLevel>(byte % kEncryptionLevelCount);
  if (level == EncryptionLevel::kZeroRtt) return;
  const std::set<uint64_t>& seen = stage_.puppet().seen_numbers(level);
  if (seen.empty()) return;
  if (byte < 0x80) return Send(level, stage_.puppet().AckOfAllSeen(level));
  // Of one of the last packets alone.
  auto number = seen.rbegin();
  std::advance(number, std::min<size_t>(in_.Next() % 16, seen.size() - 1));
  Send(level, raw::Ack(*number, *number));
}

void Script::AnswerPath() {
  if (challenges_.empty()) return;
  const PathChallengeData data = challenges_[in_.Next() % challenges_.size()];
  Send(EncryptionLevel::kOneRtt, raw::PathResponse(data));
}

void Script::Check() {
  Connection& subject = stage_.subject();
  GODWIT_CHECK_LE(subject.held_bytes(), kMaxHeldBytes);
  // RFC 9000 §8.1.
  if (is_server_ && !is_address_proven_) {
    GODWIT_CHECK_LE(stage_.bytes_to(stage_.first_path()), 3 * received_bytes_);
  }
  static_cast<void>(subject.Stats());
}

}  // namespace
}  // namespace godwit

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0 || size > godwit::kMaxScriptBytes) return 0;
  godwit::Script({data, size}).Run();
  return 0;
}
