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
HOST_UNREACHABLE = "(4)"
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

    def test_names_that_cannot_be_resolved_have_their_reason(self):
        self.start_dns()
        self.lab.start_server("--allow-target", "*:80", through=self.with_own_resolver())
        (port,) = self.lab.client.free_ports(1)
        self.lab.start_client("-D", port)

        # There is no such name; the name server fails.
        for name in ("host.missing", "host.broken"):
            with self.subTest(name):
                got = self.lab.client.run("curl", "--silent", "--show-error", "--max-time", "120",
                                          "--socks5-hostname", f"127.0.0.1:{port}",
                                          f"http://{name}/")
                self.assertEqual(got.returncode, PROXY_REFUSED, got.stderr)
                self.assertIn(HOST_UNREACHABLE, got.stderr)

    def test_an_address_that_is_dead_does_not_hold_up_the_next(self):
        self.start_dns()
        self.lab.start_http(self.lab.server)
        self.lab.server.check("ip", "address", "add", "2001:db8::1/64", "dev", "link0", "nodad")
        self.lab.start_server("--allow-target", "*:8080", "--allow-target", "127.0.0.1:8080",
                              through=self.with_own_resolver())
        (port,) = self.lab.client.free_ports(1)
        self.lab.start_client("-D", port)

        self.assert_downloads(self.lab.client, "http://host.half-dead:8080/file", self.file,
                              "--socks5-hostname", f"127.0.0.1:{port}")

        # Three of which none answers are tried beside each other.
        self.lab.client.start("curl", "--silent", "--socks5-hostname", f"127.0.0.1:{port}",
                              "http://host.dead:8080/")
        tried = 0
        while tried < 3:
            waiting = self.lab.server.check("ss", "-Hnt", "state", "syn-sent", "dport", "=", ":8080")
            tried = len(waiting.splitlines())

    def start_dns(self):
        folder = os.path.dirname(os.path.abspath(__file__))
        self.lab.server.start(sys.executable, f"{folder}/dns_server.py", 53).wait_for("ready")

    def with_own_resolver(self):
        """What to run a program with so that it asks the name server of the lab."""
        files = {"/etc/resolv.conf": "nameserver 127.0.0.1\noptions timeout:1 attempts:2\n",
                 "/etc/nsswitch.conf": "hosts: files dns\n"}
        mounts = []
        for name, text in files.items():
            own = self.lab.folder / os.path.basename(name)
            own.write_text(text)
            if not os.path.exists(name):
                self.skipTest(f"there is no {name}")
            mounts.append(f"mount --bind {own} {name}")
        return ["unshare", "--mount", "sh", "-c", " && ".join([*mounts, 'exec "$@"']), "sh"]

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
