// SPDX-License-Identifier: Apache-2.0
//
// Transport parameters with random values that their sender may declare, for round trips.
#ifndef GODWIT_TESTS_TRANSPORT_WIRE_RANDOM_TRANSPORT_PARAMETERS_H_
#define GODWIT_TESTS_TRANSPORT_WIRE_RANDOM_TRANSPORT_PARAMETERS_H_

#include "base/environment.h"
#include "godwit/perspective.h"
#include "transport/wire/transport_parameters.h"

namespace godwit {

TransportParameters RandomTransportParameters(Perspective sender, Random& random);

}  // namespace godwit

#endif  // GODWIT_TESTS_TRANSPORT_WIRE_RANDOM_TRANSPORT_PARAMETERS_H_
