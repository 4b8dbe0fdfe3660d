// SPDX-License-Identifier: Apache-2.0
//
// How exact the emulator is on this machine: sends UDP datagrams at several rates through a link
// with a delay and random loss, and compares what arrives, and when, with what the link should have
// done. It measures; whether that is good enough is for the reader to say.
#ifndef GODWIT_BENCH_EMULATOR_SELF_TEST_H_
#define GODWIT_BENCH_EMULATOR_SELF_TEST_H_

#include <cstdint>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"

namespace godwit {

// `print` gets a line at a time, of a table in Markdown.
absl::Status RunSelfTest(uint64_t seed, absl::FunctionRef<void(const std::string&)> print);

}  // namespace godwit

#endif  // GODWIT_BENCH_EMULATOR_SELF_TEST_H_
