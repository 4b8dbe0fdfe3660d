// SPDX-License-Identifier: Apache-2.0
//
// What a frame means, as text: two frames mean the same exactly if their texts are equal. The text
// holds every field of the struct and nothing of its encoding. RFC 9000 §19.
#ifndef GODWIT_TESTS_TRANSPORT_WIRE_FRAME_TEXT_H_
#define GODWIT_TESTS_TRANSPORT_WIRE_FRAME_TEXT_H_

#include <span>
#include <string>

#include "transport/wire/ack_ranges.h"
#include "transport/wire/frame.h"
#include "transport/wire/frame_encoder.h"

namespace godwit {

std::string ToText(const Frame& frame);

// As the text of an AckFrame that says the same.
std::string ToText(const AckFrameFields& fields, std::span<const AckRange> ranges);

}  // namespace godwit

#endif  // GODWIT_TESTS_TRANSPORT_WIRE_FRAME_TEXT_H_
