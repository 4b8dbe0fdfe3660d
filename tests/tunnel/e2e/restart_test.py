#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The server ends in the middle of a download, and another one takes its place: the download is reset,
and does not hang; the next one works. With SIGTERM the download is brought to its end first."""

import os
import signal
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import tunnel_lab

FILE_BYTES = 20_000_000
MIDDLE_BYTES = 3_000_000
# Of curl: the connection was reset. With a mere end, who knows no length would take part for whole.
RESET = 56


@tunnel_lab.needs("curl")
class RestartTest(tunnel_lab.LabCase):
    LINK = "delay 5ms; rate 20mbit; queue 100ms"

    def setUp(self):
        super().setUp()
        self.lab.new_file("file", FILE_BYTES)
        self.small = self.lab.new_file("small", 100_000)
        self.lab.start_http(self.lab.server)
        self.server = self.lab.start_server("--allow-target", "localhost:8080")
        (self.port,) = self.lab.client.free_ports(1)
        self.client = self.lab.start_client("-L", f"{self.port}:localhost:8080")
        self.url = f"http://127.0.0.1:{self.port}"

    def restart(self, by):
        download = self.lab.client.start("curl", "--silent", "--show-error", "--output", "/dev/null",
                                         f"{self.url}/file")
        self.lab.wait_for_status(lambda status: status["bytes_from_peers"] > 500_000)
        self.server.end(by)
        self.lab.start_server("--allow-target", "localhost:8080")
        return download

    def test_a_killed_server(self):
        download = self.restart(signal.SIGKILL)

        self.assertEqual(download.wait(), RESET, download.said())
        self.client.wait_for("connected to", times=2)
        self.assert_downloads(self.lab.client, f"{self.url}/small", self.small)

    def test_an_interrupted_server(self):
        download = self.restart(signal.SIGINT)

        self.assertEqual(download.wait(), RESET, download.said())
        # It waits for the tunnel, if that is not there yet.
        self.assert_downloads(self.lab.client, f"{self.url}/small", self.small)

    def test_a_terminated_server_ends_after_the_download(self):
        middle = self.lab.new_file("middle", MIDDLE_BYTES)
        got = self.lab.folder / "got"
        download = self.lab.client.start("curl", "--silent", "--show-error", "--output", got,
                                         f"{self.url}/middle")
        self.lab.wait_for_status(lambda status: status["bytes_from_peers"] > 500_000)
        self.server.process.send_signal(signal.SIGTERM)

        self.assertEqual(download.wait(), 0, download.said())
        self.assertEqual(tunnel_lab.hash_of(got), tunnel_lab.hash_of(middle))
        self.assertEqual(self.server.wait(), 0)


if __name__ == "__main__":
    tunnel_lab.main()
