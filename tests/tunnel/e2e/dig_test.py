#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""dig through -L udp: answers that fit into a packet of the path, and those that need fragments."""

import os
import socket
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import tunnel_lab

DNS_PORT = 5353


@tunnel_lab.needs("dig")
class DigTest(tunnel_lab.LabCase):
    def setUp(self):
        super().setUp()
        folder = os.path.dirname(os.path.abspath(__file__))
        server = self.lab.server.start(sys.executable, f"{folder}/dns_server.py", DNS_PORT)
        server.wait_for("ready")
        self.lab.start_server("--allow-target", f"127.0.0.1:{DNS_PORT}")
        (self.port,) = self.lab.client.free_ports(1, socket.SOCK_DGRAM)
        self.lab.start_client("-L", f"udp:{self.port}:127.0.0.1:{DNS_PORT}")

    def ask(self, size):
        """The text that comes as the answer."""
        said = self.lab.client.check("dig", "@127.0.0.1", "-p", self.port, "+short", "+notcp", "+ignore",
                                     "+bufsize=8192", "+tries=5", "+timeout=5", "TXT", f"{size}.test")
        return said.replace('"', "").replace(" ", "").strip()

    def test_small_answer(self):
        self.assertEqual(self.ask(100), "x" * 100)

    def test_answer_of_four_kilobytes(self):
        self.assertEqual(self.ask(4_096), "x" * 4_096)


if __name__ == "__main__":
    tunnel_lab.main()
