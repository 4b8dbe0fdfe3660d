// SPDX-License-Identifier: Apache-2.0
#include "tunnel/incoming_stream.h"

#include <utility>

namespace godwit::tunnel {

IncomingStream::IncomingStream(Options options)
    : options_(std::move(options)), stream_(options_.connection, options_.stream) {}

void IncomingStream::OnReadable() {
  // What follows the request waits in the stream.
  if (has_request_ || is_over_) return;
  auto message = stream_.Read();
  if (message.ok() && !message->has_value()) return;
  has_request_ = true;
  if (message.ok()) return OnRequest(**message);
  Refuse({.status = ReplyStatus::kFailed,
          .address = {},
          .text = std::string(message.status().message())});
}

void IncomingStream::OnRequest(const TunnelMessage& request) {
  if (const Hello* const hello = std::get_if<Hello>(&request)) {
    is_over_ = true;
    return options_.on_hello(*hello);
  }
  if (!std::holds_alternative<OpenTarget>(request) &&
      !std::holds_alternative<OpenForward>(request)) {
    return Refuse({.status = ReplyStatus::kFailed,
                   .address = {},
                   .text = "a message that does not begin a stream"});
  }
  Admission admission = options_.admit(request);
  if (admission.refusal.has_value()) return Refuse(*admission.refusal);
  protocol_ = admission.protocol;
  connector_ = std::make_unique<TargetConnector>(TargetConnector::Options{
      .loop = options_.loop,
      .resolver = options_.resolver,
      .protocol = admission.protocol,
      .target = std::move(admission.target),
      .gate = std::move(admission.gate),
      .callback = [this](TargetConnector::Result result) { OnResult(std::move(result)); }});
}

void IncomingStream::OnResult(TargetConnector::Result result) {
  connector_.reset();
  if (result.reply.status != ReplyStatus::kOk) return Refuse(result.reply);
  is_over_ = true;
  options_.on_connected(protocol_, std::move(result));
}

void IncomingStream::Refuse(const OpenReply& reply) {
  is_refused_ = true;
  options_.on_refused(reply);
  if (stream_.Write(EncodeMessage(reply))) End();
}

void IncomingStream::OnWritable() {
  if (is_refused_ && !is_over_ && stream_.Flush()) End();
}

void IncomingStream::OnReset() {
  if (std::exchange(is_over_, true)) return;
  connector_.reset();
  stream_.Abort(StreamErrorCode::kConnectionReset);
  options_.on_over();
}

void IncomingStream::End() {
  is_over_ = true;
  stream_.Finish();
  stream_.StopReading(StreamErrorCode::kRefused);
  options_.on_over();
}

}  // namespace godwit::tunnel
