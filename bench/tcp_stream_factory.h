// SPDX-License-Identifier: Apache-2.0
//
// TcpStreamFactory: makes a ByteStream of a connected socket, plain or under TLS, as the options
// say.
#ifndef GODWIT_BENCH_TCP_STREAM_FACTORY_H_
#define GODWIT_BENCH_TCP_STREAM_FACTORY_H_

#include <memory>

#include "absl/status/statusor.h"

#include "bench/byte_stream.h"
#include "bench/emulator/file_descriptor.h"
#include "bench/tls_stream.h"
#include "bench/transfer_options.h"

namespace godwit {

class TcpStreamFactory {
 public:
  static absl::StatusOr<TcpStreamFactory> Create(const TransferOptions& options);

  // `socket` is connected, or about to be, and does not block. This object outlives the stream.
  std::unique_ptr<ByteStream> NewStream(FileDescriptor socket) const;

 private:
  TcpStreamFactory() = default;

  std::unique_ptr<TlsStreamContext> tls_;  // None: plain.
};

}  // namespace godwit

#endif  // GODWIT_BENCH_TCP_STREAM_FACTORY_H_
