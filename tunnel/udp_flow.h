// SPDX-License-Identifier: Apache-2.0
//
// UdpFlow: the stream that opens a UDP flow and holds it open: when the stream ends, so does the
// flow, on both sides. Packets go beside it, through UdpFlowTable.
#ifndef GODWIT_TUNNEL_UDP_FLOW_H_
#define GODWIT_TUNNEL_UDP_FLOW_H_

#include <cstdint>
#include <functional>
#include <string>

#include "tunnel/message_stream.h"
#include "tunnel/stream_handler.h"
#include "tunnel/udp_flow_table.h"

namespace godwit::tunnel {

// What the owner of a flow hears of it. Each may be null. None but `on_end` may end the flow.
struct UdpFlowEvents {
  std::function<void(const OpenReply& reply)> on_reply;
  UdpFlowTable::PacketCallback on_packet;
  // The flow is over; the last call, once. Not after the owner has closed it.
  std::function<void()> on_end;
};

class UdpFlow final : public StreamHandler {
 public:
  struct Options {
    ConnectionRef connection;
    StreamId stream;
    UdpFlowTable* table = nullptr;
    std::string first_message;
    bool awaits_reply = false;
    UdpFlowEvents events;
    // Once, when it is over. The flow is not destroyed inside of it.
    std::function<void()> on_over;
  };
  explicit UdpFlow(Options options);
  ~UdpFlow() override;

  void Start();
  // By the owner, who hears no more.
  void Close();
  [[nodiscard]] uint32_t flow_id() const { return static_cast<uint32_t>(stream_.id().value()); }

  void OnReadable() override;
  void OnWritable() override { stream_.Flush(); }
  void OnReset() override { End(); }
  void OnStopped() override {}
  void OnConnectionLost() override { End(); }

 private:
  void End();

  Options options_;
  MessageStream stream_;
  bool is_over_ = false;
};

}  // namespace godwit::tunnel

#endif  // GODWIT_TUNNEL_UDP_FLOW_H_
