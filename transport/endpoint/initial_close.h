// SPDX-License-Identifier: Apache-2.0
//
// WriteInitialClose: a server's answer to a client's Initial packet that opens no connection: an
// Initial packet with CONNECTION_CLOSE, made from nothing but that packet's connection ids. RFC
// 9000 §5.2.2, §10.2.3. It costs a derivation of keys, some microseconds: whether it is sent, and
// how often, is decided elsewhere.
#ifndef GODWIT_TRANSPORT_ENDPOINT_INITIAL_CLOSE_H_
#define GODWIT_TRANSPORT_ENDPOINT_INITIAL_CLOSE_H_

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/transport_error_code.h"

namespace godwit {

// Of the client's packet, up to 20 bytes each.
struct ClientInitialIds {
  std::span<const uint8_t> dcid;
  std::span<const uint8_t> scid;
};

// Bytes of the largest one.
inline constexpr size_t kMaxInitialCloseBytes = 96;

// Writes it to the start of `buffer`, which has kMaxInitialCloseBytes, and returns its size.
size_t WriteInitialClose(const ClientInitialIds& ids, TransportErrorCode error,
                         std::span<uint8_t> buffer);

}  // namespace godwit

#endif  // GODWIT_TRANSPORT_ENDPOINT_INITIAL_CLOSE_H_
