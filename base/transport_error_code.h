// SPDX-License-Identifier: Apache-2.0
//
// The codes of a CONNECTION_CLOSE frame of type 0x1c. RFC 9000 §20.1.
//
// A peer may send any value up to 2^62-1: a TransportErrorCode that came from the wire need not be
// one of the enumerators.
#ifndef GODWIT_BASE_TRANSPORT_ERROR_CODE_H_
#define GODWIT_BASE_TRANSPORT_ERROR_CODE_H_

#include <cstdint>

namespace godwit {

enum class TransportErrorCode : uint64_t {
  kNoError = 0x00,
  kInternalError = 0x01,
  kConnectionRefused = 0x02,
  kFlowControlError = 0x03,
  kStreamLimitError = 0x04,
  kStreamStateError = 0x05,
  kFinalSizeError = 0x06,
  kFrameEncodingError = 0x07,
  kTransportParameterError = 0x08,
  kConnectionIdLimitError = 0x09,
  kProtocolViolation = 0x0a,
  kInvalidToken = 0x0b,
  kApplicationError = 0x0c,
  kCryptoBufferExceeded = 0x0d,
  kKeyUpdateError = 0x0e,
  kAeadLimitReached = 0x0f,
  kNoViablePath = 0x10,
  kVersionNegotiationError = 0x11,  // RFC 9368 §4
  // The first of 256; MakeCryptoError makes the others.
  kCryptoErrorFirst = 0x0100,
};

// RFC 9001 §4.8: CRYPTO_ERROR carries the TLS alert in its low byte.
constexpr TransportErrorCode MakeCryptoError(uint8_t tls_alert) {
  return static_cast<TransportErrorCode>(
      static_cast<uint64_t>(TransportErrorCode::kCryptoErrorFirst) + tls_alert);
}

}  // namespace godwit

#endif  // GODWIT_BASE_TRANSPORT_ERROR_CODE_H_
