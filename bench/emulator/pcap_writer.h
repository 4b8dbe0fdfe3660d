// SPDX-License-Identifier: Apache-2.0
//
// PcapWriter: writes IP packets with their times to a file in the pcap format with nanoseconds,
// link type "raw IP", which tcpdump and Wireshark read. It does not choose what is written.
#ifndef GODWIT_BENCH_EMULATOR_PCAP_WRITER_H_
#define GODWIT_BENCH_EMULATOR_PCAP_WRITER_H_

#include <cstdint>
#include <cstdio>
#include <memory>
#include <span>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "godwit/time.h"

namespace godwit {

class PcapWriter {
 public:
  // Overwrites the file.
  static absl::StatusOr<PcapWriter> Create(const std::string& path);

  // `time` since the epoch of the file: the viewer shows it as time since 1970.
  void Write(Timestamp time, std::span<const uint8_t> packet);

  // Says whether all that was written is in the file. Once, at the end.
  absl::Status Close();

 private:
  struct FileCloser {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };

  PcapWriter(std::string path, std::FILE* file) : path_(std::move(path)), file_(file) {}

  std::string path_;
  std::unique_ptr<std::FILE, FileCloser> file_;
};

}  // namespace godwit

#endif  // GODWIT_BENCH_EMULATOR_PCAP_WRITER_H_
