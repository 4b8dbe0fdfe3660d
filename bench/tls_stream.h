// SPDX-License-Identifier: Apache-2.0
//
// TLS 1.3 over TCP by BoringSSL, as a ByteStream: what QUIC is to be compared with. Records are of
// 16 KiB; several go into one send() and come out of one recv(), so that TCP is not made slower
// than it has to be. The certificate is made at the start, self-signed, and the client believes
// any: these programs measure, on networks of their own. No session is resumed. Groups and
// signatures are those that godwit offers.
//
// Which cipher suite it becomes is BoringSSL's choice: AES-128-GCM where the CPU has AES.
#ifndef GODWIT_BENCH_TLS_STREAM_H_
#define GODWIT_BENCH_TLS_STREAM_H_

#include <memory>

#include "absl/status/statusor.h"

#include "bench/byte_stream.h"
#include "bench/emulator/file_descriptor.h"
#include "bench/transfer_options.h"

struct bio_method_st;
struct ssl_ctx_st;

namespace godwit {

// What all connections of a program share.
class TlsStreamContext {
 public:
  // `certificate`: of a server's.
  static absl::StatusOr<TlsStreamContext> Create(
      TransferRole role, CertificateKind certificate = CertificateKind::kEd25519);

  ~TlsStreamContext();
  TlsStreamContext(TlsStreamContext&& other) noexcept;
  TlsStreamContext& operator=(TlsStreamContext&& other) = delete;

  // `socket` is connected and does not block. This object must outlive the stream.
  std::unique_ptr<ByteStream> NewStream(FileDescriptor socket) const;

 private:
  TlsStreamContext(TransferRole role, ssl_ctx_st* context, bio_method_st* method);

  TransferRole role_;
  ssl_ctx_st* context_;
  bio_method_st* method_;
};

}  // namespace godwit

#endif  // GODWIT_BENCH_TLS_STREAM_H_
