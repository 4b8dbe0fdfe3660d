// SPDX-License-Identifier: Apache-2.0
#include "bench/emulator/ethernet_offloads.h"

#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

#include "bench/emulator/file_descriptor.h"

namespace godwit {
namespace {

absl::Status Ethtool(int fd, const std::string& interface, void* command) {
  ifreq request = {};
  interface.copy(request.ifr_name, IFNAMSIZ - 1);
  request.ifr_data = static_cast<char*>(command);
  // A positive result of ETHTOOL_SFEATURES: some of the features cannot be changed.
  if (ioctl(fd, SIOCETHTOOL, &request) >= 0) return absl::OkStatus();
  return absl::ErrnoToStatus(errno, absl::StrCat("cannot turn off the offloads of ", interface));
}

// The kernel's structures end with an array whose length is known at run time.
std::vector<uint8_t> MakeCommand(size_t bytes, uint32_t command) {
  std::vector<uint8_t> buffer(bytes);
  std::memcpy(buffer.data(), &command, sizeof(command));
  return buffer;
}

absl::StatusOr<uint32_t> FeatureCount(int fd, const std::string& interface) {
  std::vector<uint8_t> info =
      MakeCommand(sizeof(ethtool_sset_info) + sizeof(uint32_t), ETHTOOL_GSSET_INFO);
  const uint64_t mask = uint64_t{1} << ETH_SS_FEATURES;
  std::memcpy(&info[offsetof(ethtool_sset_info, sset_mask)], &mask, sizeof(mask));
  const absl::Status status = Ethtool(fd, interface, info.data());
  if (!status.ok()) return status;
  uint32_t count = 0;
  std::memcpy(&count, &info[sizeof(ethtool_sset_info)], sizeof(count));
  return count;
}

bool IsOffload(absl::string_view feature) {
  return absl::StartsWith(feature, "tx-checksum-") || absl::EndsWith(feature, "-segmentation") ||
         absl::StartsWith(feature, "rx-gro") || absl::StartsWith(feature, "rx-udp-gro") ||
         feature == "rx-checksum" || feature == "rx-lro" || feature == "tx-gso-list" ||
         feature == "tx-gso-robust" || feature == "tx-gso-partial";
}

}  // namespace

absl::Status TurnOffloadsOff(const std::string& interface) {
  const FileDescriptor fd(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  const absl::StatusOr<uint32_t> count = FeatureCount(fd.get(), interface);
  if (!count.ok()) return count.status();

  std::vector<uint8_t> names =
      MakeCommand(sizeof(ethtool_gstrings) + size_t{*count} * ETH_GSTRING_LEN, ETHTOOL_GSTRINGS);
  const uint32_t set = ETH_SS_FEATURES;
  std::memcpy(&names[offsetof(ethtool_gstrings, string_set)], &set, sizeof(set));
  std::memcpy(&names[offsetof(ethtool_gstrings, len)], &*count, sizeof(*count));
  const absl::Status status = Ethtool(fd.get(), interface, names.data());
  if (!status.ok()) return status;

  const uint32_t block_count = (*count + 31) / 32;
  std::vector<uint8_t> change =
      MakeCommand(sizeof(ethtool_sfeatures) + block_count * sizeof(ethtool_set_features_block),
                  ETHTOOL_SFEATURES);
  std::memcpy(&change[offsetof(ethtool_sfeatures, size)], &block_count, sizeof(block_count));
  std::vector<ethtool_set_features_block> blocks(block_count);
  for (uint32_t i = 0; i < *count; ++i) {
    const char* const name =
        reinterpret_cast<const char*>(&names[sizeof(ethtool_gstrings) + i * ETH_GSTRING_LEN]);
    const size_t length = static_cast<size_t>(std::find(name, name + ETH_GSTRING_LEN, 0) - name);
    if (IsOffload(absl::string_view(name, length))) blocks[i / 32].valid |= 1u << (i % 32);
  }
  // Valid and not requested: off.
  std::memcpy(&change[sizeof(ethtool_sfeatures)], blocks.data(), blocks.size() * sizeof(blocks[0]));
  return Ethtool(fd.get(), interface, change.data());
}

}  // namespace godwit
