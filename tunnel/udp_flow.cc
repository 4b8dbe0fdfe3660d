// SPDX-License-Identifier: Apache-2.0
#include "tunnel/udp_flow.h"

#include <utility>

namespace godwit::tunnel {

UdpFlow::UdpFlow(Options options)
    : options_(std::move(options)), stream_(options_.connection, options_.stream) {}

UdpFlow::~UdpFlow() {
  if (!is_over_) options_.table->Remove(flow_id());
}

void UdpFlow::Start() {
  stream_.Write(std::exchange(options_.first_message, {}));
  options_.table->Add(
      flow_id(),
      [this](std::span<const uint8_t> packet) {
        if (!is_over_ && options_.events.on_packet) options_.events.on_packet(packet);
      },
      [this] { End(); });
  if (!is_over_) OnReadable();
}

void UdpFlow::Close() {
  options_.events = {};
  End();
}

void UdpFlow::OnReadable() {
  if (is_over_) return;
  auto message = stream_.Read();
  if (!message.ok()) return End();
  if (!message->has_value()) return;
  const OpenReply* const reply = std::get_if<OpenReply>(&**message);
  if (reply == nullptr || !std::exchange(options_.awaits_reply, false)) return End();
  if (options_.events.on_reply) options_.events.on_reply(*reply);
  if (reply->status != ReplyStatus::kOk) End();
}

void UdpFlow::End() {
  if (std::exchange(is_over_, true)) return;
  options_.table->Remove(flow_id());
  stream_.Finish();
  stream_.StopReading(StreamErrorCode::kConnectionReset);
  // What they hold ends now, whenever this is destroyed.
  const UdpFlowEvents events = std::exchange(options_.events, {});
  if (events.on_end) events.on_end();
  if (options_.on_over) options_.on_over();
}

}  // namespace godwit::tunnel
