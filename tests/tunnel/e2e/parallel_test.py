#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Five hundred downloads at a time through one -L: each arrives whole."""

import os
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import tunnel_lab

# A curl has at most 300.
CURLS = 5
DOWNLOADS_OF_EACH = 100
FILE_BYTES = 40_000


@tunnel_lab.needs("curl", "nginx")
class ParallelTest(tunnel_lab.LabCase):
    def test_five_hundred_downloads(self):
        file = self.lab.new_file("file", FILE_BYTES)
        self.lab.start_http(self.lab.server)
        self.lab.start_server("--allow-target", "localhost:8080")
        (port,) = self.lab.client.free_ports(1)
        self.lab.start_client("-L", f"{port}:localhost:8080")
        for i in range(CURLS):
            (self.lab.folder / f"got{i}").mkdir()

        # The name in brackets counts the requests; the server does not look at it.
        curls = [self.lab.client.start(
            "curl", "--silent", "--show-error", "--fail", "--no-keepalive",
            "--header", "Connection: close", "--parallel", "--parallel-immediate", "--parallel-max",
            DOWNLOADS_OF_EACH, "--output", f"{self.lab.folder}/got{i}/#1",
            f"http://127.0.0.1:{port}/file?[1-{DOWNLOADS_OF_EACH}]") for i in range(CURLS)]
        for curl in curls:
            self.assertEqual(curl.wait(), 0, curl.said())

        wanted = tunnel_lab.hash_of(file)
        for i in range(CURLS):
            got = list((self.lab.folder / f"got{i}").iterdir())
            self.assertEqual(len(got), DOWNLOADS_OF_EACH)
            for each in got:
                self.assertEqual(tunnel_lab.hash_of(each), wanted)
        self.assertGreaterEqual(self.lab.status()["flows_opened"], CURLS * DOWNLOADS_OF_EACH)
        self.lab.wait_for_status(lambda status: status["peers"][0]["tcp_flows"] == 0)


if __name__ == "__main__":
    tunnel_lab.main()
