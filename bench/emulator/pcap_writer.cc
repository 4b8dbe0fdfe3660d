// SPDX-License-Identifier: Apache-2.0
#include "bench/emulator/pcap_writer.h"

#include <cerrno>

#include "absl/strings/str_cat.h"

namespace godwit {
namespace {

// The format leaves the byte order to the writer; the magic number tells it, and the unit of time.
struct FileHeader {
  uint32_t magic = 0xa1b23c4d;
  uint16_t version_major = 2;
  uint16_t version_minor = 4;
  uint32_t unused[2] = {};
  uint32_t longest_packet = 65'535;
  uint32_t link_type = 101;  // LINKTYPE_RAW
};
static_assert(sizeof(FileHeader) == 24);

struct PacketHeader {
  uint32_t seconds;
  uint32_t nanoseconds;
  uint32_t captured_bytes;
  uint32_t packet_bytes;
};
static_assert(sizeof(PacketHeader) == 16);

}  // namespace

absl::StatusOr<PcapWriter> PcapWriter::Create(const std::string& path) {
  std::FILE* const file = std::fopen(path.c_str(), "wbe");
  if (file == nullptr) return absl::ErrnoToStatus(errno, absl::StrCat("cannot write ", path));
  PcapWriter writer(path, file);
  const FileHeader header;
  std::fwrite(&header, sizeof(header), 1, file);
  return writer;
}

void PcapWriter::Write(Timestamp time, std::span<const uint8_t> packet) {
  constexpr int64_t kSecond = 1'000'000'000;
  const uint32_t bytes = static_cast<uint32_t>(packet.size());
  const PacketHeader header{.seconds = static_cast<uint32_t>(time.ToNanoseconds() / kSecond),
                            .nanoseconds = static_cast<uint32_t>(time.ToNanoseconds() % kSecond),
                            .captured_bytes = bytes,
                            .packet_bytes = bytes};
  // A failure sets the file's error flag, which Close() reads.
  std::fwrite(&header, sizeof(header), 1, file_.get());
  std::fwrite(packet.data(), 1, packet.size(), file_.get());
}

absl::Status PcapWriter::Close() {
  const bool failed = std::ferror(file_.get()) != 0;
  if (std::fclose(file_.release()) != 0 || failed) {
    return absl::DataLossError(absl::StrCat("cannot write all of ", path_, "; is the disk full?"));
  }
  return absl::OkStatus();
}

}  // namespace godwit
