#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""iperf3 through -L: two TCP connections to one port, one of them full, in both directions."""

import json
import os
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import tunnel_lab


@tunnel_lab.needs("iperf3")
class Iperf3Test(tunnel_lab.LabCase):
    def setUp(self):
        super().setUp()
        server = self.lab.server.start("iperf3", "--server", "--bind", "127.0.0.1", "--forceflush")
        server.wait_for("Server listening")
        self.lab.start_server("--allow-target", "127.0.0.1:5201")
        (self.port,) = self.lab.client.free_ports(1)
        self.lab.start_client("-L", f"{self.port}:127.0.0.1:5201")

    def transfer(self, *flags):
        said = self.lab.client.check("iperf3", "--client", "127.0.0.1", "--port", self.port, "--json",
                                     *flags)
        return json.loads(said)["end"]["sum_received"]["bytes"]

    def test_upload(self):
        # What is under way when iperf3's client has written all does not count for its server.
        self.assertGreater(self.transfer("--time", "1"), 0)

    def test_download_over_four_connections(self):
        self.assertGreaterEqual(self.transfer("--reverse", "--parallel", "4", "--bytes", "5M"), 5 << 20)


if __name__ == "__main__":
    tunnel_lab.main()
