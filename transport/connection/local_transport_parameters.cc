// SPDX-License-Identifier: Apache-2.0
#include "transport/connection/local_transport_parameters.h"

#include "base/limits.h"
#include "transport/wire/byte_writer.h"
#include "transport/wire/transport_parameters.h"

namespace godwit {
namespace {

TransportParameters LocalParameters(const ConnectionConfig& config, const LocalHandshakeIds& ids) {
  TransportParameters parameters;
  parameters.max_idle_timeout = config.idle.max_idle_timeout;
  parameters.initial_max_data = config.streams.initial_max_data;
  parameters.initial_max_stream_data_bidi_local = config.streams.initial_max_stream_data_bidi_local;
  parameters.initial_max_stream_data_bidi_remote =
      config.streams.initial_max_stream_data_bidi_remote;
  parameters.initial_max_stream_data_uni = config.streams.initial_max_stream_data_uni;
  parameters.initial_max_streams_bidi = config.streams.max_streams_bidi;
  parameters.initial_max_streams_uni = config.streams.max_streams_uni;
  parameters.max_ack_delay = config.max_ack_delay;
  parameters.disable_active_migration = !config.allows_migration;
  parameters.active_connection_id_limit = kActiveConnectionIdLimit;
  parameters.initial_source_connection_id = ids.initial_source;
  parameters.original_destination_connection_id = ids.original_destination;
  parameters.stateless_reset_token = ids.stateless_reset_token;
  parameters.max_datagram_frame_size = config.max_datagram_frame_size;
  return parameters;
}

}  // namespace

std::vector<uint8_t> EncodeLocalTransportParameters(const ConnectionConfig& config,
                                                    Perspective perspective,
                                                    const LocalHandshakeIds& ids, Random& random) {
  const TransportParameters parameters = LocalParameters(config, ids);
  const TransportParameterEncoding encoding = {
      .reserved = ReservedTransportParameter{.random_bits = random.NextUint64(), .value = {}},
      .order_seed = random.NextUint64()};
  std::vector<uint8_t> block(EncodedSize(parameters, encoding));
  ByteWriter writer(block);
  WriteTransportParameters(parameters, perspective, encoding, writer);
  return block;
}

}  // namespace godwit
