// SPDX-License-Identifier: Apache-2.0
#include "bench/emulator/pcap_writer.h"

#include <gtest/gtest.h>

#include <cstring>
#include <fstream>
#include <iterator>
#include <vector>

namespace godwit {
namespace {

uint32_t Word(const std::vector<char>& file, size_t index) {
  uint32_t word = 0;
  std::memcpy(&word, &file[index * sizeof(word)], sizeof(word));
  return word;
}

TEST(PcapWriterTest, PacketFollowsItsTimeAndLength) {
  const std::string path = testing::TempDir() + "/packets.pcap";
  absl::StatusOr<PcapWriter> writer = PcapWriter::Create(path);
  ASSERT_TRUE(writer.ok()) << writer.status();

  writer->Write(Timestamp::FromNanoseconds(3'000'000'007), std::vector<uint8_t>{0x45, 1, 2, 3});

  ASSERT_TRUE(writer->Close().ok());
  std::ifstream stream(path, std::ios::binary);
  const std::vector<char> file{std::istreambuf_iterator<char>(stream), {}};
  ASSERT_EQ(file.size(), 24u + 16u + 4u);
  EXPECT_EQ(Word(file, 0), 0xa1b23c4d);  // Nanoseconds.
  EXPECT_EQ(Word(file, 5), 101u);        // IP without a link header.
  EXPECT_EQ(Word(file, 6), 3u);
  EXPECT_EQ(Word(file, 7), 7u);
  EXPECT_EQ(Word(file, 8), 4u);
  EXPECT_EQ(Word(file, 9), 4u);
  EXPECT_EQ(file[40], 0x45);
}

TEST(PcapWriterTest, SaysWhichFileCannotBeWritten) {
  const absl::StatusOr<PcapWriter> writer = PcapWriter::Create("/nowhere/packets.pcap");

  EXPECT_NE(writer.status().ToString().find("/nowhere/packets.pcap"), std::string::npos);
}

TEST(PcapWriterTest, FullDiskIsAnErrorAtTheEnd) {
  absl::StatusOr<PcapWriter> writer = PcapWriter::Create("/dev/full");
  ASSERT_TRUE(writer.ok()) << writer.status();

  writer->Write(Timestamp::Zero(), std::vector<uint8_t>(100));

  EXPECT_FALSE(writer->Close().ok());
}

}  // namespace
}  // namespace godwit
