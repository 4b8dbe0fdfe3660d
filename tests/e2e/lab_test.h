// SPDX-License-Identifier: Apache-2.0
//
// LabTest: a test with a VethLab, skipped with the reason where there can be none. It runs in the
// client's end; servers are started at the other, on the addresses of both IP versions.
#ifndef GODWIT_TESTS_E2E_LAB_TEST_H_
#define GODWIT_TESTS_E2E_LAB_TEST_H_

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "gtest/gtest.h"

#include "tests/e2e/hashed_peers.h"
#include "tests/e2e/veth_lab.h"

namespace godwit {

class LabTest : public testing::Test {
 protected:
  // To be called in SetUp().
  void MakeLab(const VethLab::Options& options) {
    auto lab = VethLab::Create(options);
    if (absl::IsPermissionDenied(lab.status())) GTEST_SKIP() << lab.status();
    ASSERT_TRUE(lab.ok()) << lab.status();
    lab_ = *std::move(lab);
  }

  // Port 0: the kernel chooses.
  std::unique_ptr<HashServer> StartServer(ServerConfig config, uint16_t port = 0) {
    config.socket.local = *SocketAddress::Parse("[::]:" + std::to_string(port));
    std::unique_ptr<HashServer> server;
    lab_->InServer([&] { server = std::make_unique<HashServer>(config); });
    return server;
  }

  bool has_lab() const { return lab_ != nullptr; }
  VethLab& lab() { return *lab_; }

 private:
  std::unique_ptr<VethLab> lab_;
};

// For test cases by IP version.
inline std::string NameOf(IpVersion version) {
  return version == IpVersion::kIpv4 ? "Ipv4" : "Ipv6";
}

}  // namespace godwit

#endif  // GODWIT_TESTS_E2E_LAB_TEST_H_
