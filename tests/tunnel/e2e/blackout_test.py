#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The link is dead for some seconds in the middle of a download, which then goes on and arrives
whole, over the same connections as before.

With a number as the last argument: so many black-outs, of 1 to 8 s, one after the other.
"""

import os
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import tunnel_lab

COUNT = int(sys.argv[3]) if len(sys.argv) > 3 else 0
LENGTHS = [1 + i % 8 for i in range(COUNT)] if COUNT else [1, 2]
# Between the end of one and the beginning of the next.
PAUSE_SECONDS = 2 if COUNT else 1
FIRST_SECONDS = 2
# Of the link, which so makes the download last as long as the black-outs do.
BYTES_A_SECOND = 500_000


def script():
    """When the link is dead, and when all of that is over, in seconds of the lab."""
    lines, at = [], FIRST_SECONDS
    for length in LENGTHS:
        lines.append(f"at {at}s outage {length}s")
        at += length + PAUSE_SECONDS
    return "; ".join(lines), at


OUTAGES, END_SECONDS = script()


@tunnel_lab.needs("curl")
class BlackoutTest(tunnel_lab.LabCase):
    LINK = f"delay 10ms; rate {8 * BYTES_A_SECOND}bit; queue 100ms; {OUTAGES}"
    SECONDS = tunnel_lab.CASE_SECONDS + END_SECONDS

    def test_no_connection_ends_and_no_byte_is_lost(self):
        file = self.lab.new_file("file", BYTES_A_SECOND * (END_SECONDS - sum(LENGTHS)))
        small = self.lab.new_file("small", 1_000)
        self.lab.start_http(self.lab.server)
        self.lab.start_server("--allow-target", "localhost:8080")
        (port,) = self.lab.client.free_ports(1)
        client = self.lab.start_client("-L", f"{port}:localhost:8080")
        idle = self.lab.client.connect(port)

        self.assert_downloads(self.lab.client, f"http://127.0.0.1:{port}/file", file)

        with idle:
            idle.sendall(b"GET /small HTTP/1.0\r\n\r\n")
            self.assertTrue(self.read_all(idle).endswith(small.read_bytes()))
        self.assertEqual(client.said().count("connected to"), 1)
        self.assertEqual(self.lab.status("server")["connections"], 1)
        counters = self.lab.end_link()
        self.assertGreater(counters["up"]["dropped_outage"], 0)
        self.assertGreater(counters["down"]["dropped_outage"], 0)

    @staticmethod
    def read_all(connection):
        parts = []
        while part := connection.recv(65_536):
            parts.append(part)
        return b"".join(parts)


if __name__ == "__main__":
    tunnel_lab.main()
