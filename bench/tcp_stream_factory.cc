// SPDX-License-Identifier: Apache-2.0
#include "bench/tcp_stream_factory.h"

#include <utility>

namespace godwit {

absl::StatusOr<TcpStreamFactory> TcpStreamFactory::Create(const TransferOptions& options) {
  TcpStreamFactory factory;
  if (options.protocol != TransferProtocol::kTcpTls) return factory;
  absl::StatusOr<TlsStreamContext> tls =
      TlsStreamContext::Create(options.role, options.certificate);
  if (!tls.ok()) return tls.status();
  factory.tls_ = std::make_unique<TlsStreamContext>(*std::move(tls));
  return factory;
}

std::unique_ptr<ByteStream> TcpStreamFactory::NewStream(FileDescriptor socket) const {
  return tls_ ? tls_->NewStream(std::move(socket)) : NewPlainStream(std::move(socket));
}

}  // namespace godwit
