#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""curl and an HTTP server through -L, -R and -D, and what curl sees of a target that is forbidden."""

import os
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import tunnel_lab

FILE_BYTES = 3_000_000
# Of curl.
COULD_NOT_CONNECT = 7
GOT_NOTHING = 52
RECEIVE_FAILED = 56
PROXY_REFUSED = 97
# RFC 1928 §6, as curl shows them.
NOT_ALLOWED = "(2)"
REFUSED = "(5)"


@tunnel_lab.needs("curl")
class CurlTest(tunnel_lab.LabCase):
    def setUp(self):
        super().setUp()
        self.file = self.lab.new_file("file", FILE_BYTES)

    def test_local_forward(self):
        self.lab.start_http(self.lab.server)
        self.lab.start_server("--allow-target", "localhost:8080")
        (port,) = self.lab.client.free_ports(1)
        self.lab.start_client("-L", f"{port}:localhost:8080")

        self.assert_downloads(self.lab.client, f"http://127.0.0.1:{port}/file", self.file)

    def test_remote_forward(self):
        self.lab.start_http(self.lab.client)
        (port,) = self.lab.server.free_ports(1)
        self.lab.start_server("--allow-bind", f"127.0.0.1:{port}")
        client = self.lab.start_client("-R", f"{port}:localhost:8080")
        client.wait_for("the server listens on")

        self.assert_downloads(self.lab.server, f"http://127.0.0.1:{port}/file", self.file)

    def test_socks_with_names_that_the_server_resolves(self):
        self.lab.start_http(self.lab.server)
        self.lab.start_server("--allow-target", "localhost:8080")
        (port,) = self.lab.client.free_ports(1)
        self.lab.start_client("-D", port)

        self.assert_downloads(self.lab.client, "http://localhost:8080/file", self.file,
                              "--proxy", f"socks5h://127.0.0.1:{port}")

    def test_what_socks_cannot_reach_has_its_reason(self):
        self.lab.start_http(self.lab.server)
        self.lab.start_server("--allow-target", "localhost:8081")
        (port,) = self.lab.client.free_ports(1)
        self.lab.start_client("-D", port)

        for url, reason in (("http://localhost:8080/file", NOT_ALLOWED),
                            ("http://localhost:8081/file", REFUSED)):
            with self.subTest(url):
                got = self.lab.client.run("curl", "--silent", "--show-error", "--max-time", "120",
                                          "--proxy", f"socks5h://127.0.0.1:{port}", url)
                self.assertEqual(got.returncode, PROXY_REFUSED, got.stderr)
                self.assertIn(reason, got.stderr)

    def test_a_forbidden_target_of_a_local_forward_breaks_the_connection(self):
        self.lab.start_http(self.lab.server)
        server = self.lab.start_server()
        (port,) = self.lab.client.free_ports(1)
        client = self.lab.start_client("-L", f"{port}:localhost:8080")

        got = self.lab.client.run("curl", "--silent", "--show-error", "--max-time", "120",
                                  f"http://127.0.0.1:{port}/file")
        self.assertIn(got.returncode, (GOT_NOTHING, RECEIVE_FAILED), got.stderr)
        self.assertIn("--allow-target", server.said())
        client.wait_for("--allow-target localhost:8080")

    def test_without_a_listener_there_curl_cannot_connect(self):
        self.lab.start_server()
        used, free = self.lab.client.free_ports(2)
        self.lab.start_client("-L", f"{used}:localhost:8080")

        got = self.lab.client.run("curl", "--silent", "--max-time", "120", f"http://127.0.0.1:{free}/")
        self.assertEqual(got.returncode, COULD_NOT_CONNECT)


if __name__ == "__main__":
    tunnel_lab.main()
