#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Wrong use gets one clear line, and exit code 2."""

import os
import re
import socket
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import tunnel_lab


@tunnel_lab.needs()
class WrongUseTest(tunnel_lab.LabCase):
    def assert_wrong_use(self, pattern, command, seconds=60):
        done = self.lab.client.run(*command, seconds=seconds)
        self.assertEqual(done.returncode, 2, done.stderr)
        self.assertRegex(done.stderr, pattern)
        self.assertRegex(done.stderr, r"^godwit-tunnel: [^\n]+\n\Z")

    def client(self, *flags):
        return self.lab.client_command("--log-level", "error", *flags)

    def test_bad_forwards_show_the_right_syntax(self):
        for flag, spec in (("-L", "8080"), ("-L", "8080:localhost"), ("-L", "x:localhost:80"),
                           ("-R", "8080:localhost:99999"), ("-L", "sctp:8080:localhost:80"),
                           ("-L", "::1:8080:localhost:80"), ("-D", "host:8080")):
            with self.subTest(spec):
                self.assert_wrong_use(r"(\[udp:\])?\[BIND:\]PORT", self.client(flag, spec))

    def test_port_in_use(self):
        with self.lab.client.entered():
            listener = socket.create_server(("127.0.0.1", 0))
        with listener:
            port = listener.getsockname()[1]
            self.assert_wrong_use(f"127.0.0.1:{port}.*choose another port",
                                  self.client("-L", f"{port}:localhost:80"))
            self.assert_wrong_use(f"127.0.0.1:{port}.*choose another port", self.client("-D", f"{port}"))

    def test_servers_port_in_use(self):
        self.lab.start_server()
        second = self.lab.server.run(
            self.lab.program, "server", "--listen", f"0.0.0.0:{tunnel_lab.TUNNEL_PORT}", "--key",
            self.lab.server_key, "--allow-client", self.lab.client_fingerprint)
        self.assertEqual(second.returncode, 2, second.stderr)
        self.assertRegex(second.stderr, r"^godwit-tunnel: .*4433 is in use.*--listen [^\n]+\n\Z")

    def test_key_file_that_others_can_read(self):
        self.lab.client_key.chmod(0o644)
        self.assert_wrong_use(f"chmod 600 .*{self.lab.client_key.name}", self.client("-D", "1080"))

    def test_key_file_that_is_not_there(self):
        self.lab.client_key.unlink()
        self.assert_wrong_use("keygen", self.client("-D", "1080"))

    def test_another_server_key_shows_both(self):
        self.lab.start_server()
        expected = self.lab.client_fingerprint
        self.assert_wrong_use(
            f"(?=.*{re.escape(expected)}).*{re.escape(self.lab.server_fingerprint)}",
            self.with_server_key(expected, "-D", "1080"))

    def with_server_key(self, fingerprint, *flags):
        return [part if part != self.lab.server_fingerprint else fingerprint
                for part in self.client(*flags)]

    def test_client_that_is_not_allowed(self):
        self.lab.client_key, _ = self.lab.new_key("stranger")
        self.lab.start_server()
        self.assert_wrong_use("--allow-client SHA256:", self.client("-D", "1080"))

    def test_no_route_and_blocked_udp_are_told_apart(self):
        self.lab.client.check("ip", "route", "add", "unreachable", "10.0.3.0/24")
        self.lab.server.check("ip", "route", "add", "blackhole", "10.0.1.0/24")
        blocked = self.client("-D", "1080")
        no_route = [part.replace("10.0.2.2", "10.0.3.2").replace("client.sock", "other.sock")
                    for part in map(str, blocked)]
        no_route[-1] = "1081"

        # At a time, as each waits.
        attempts = [self.lab.client.start(*command) for command in (blocked, no_route)]
        for attempt in attempts:
            self.assertEqual(attempt.wait(), 2, attempt.said())

        self.assertRegex(attempts[0].said(),
                         r"^godwit-tunnel: [^\n]* within \d+ s: [^\n]*UDP is blocked[^\n]* try [^\n]+\n\Z")
        self.assertRegex(attempts[1].said(), r"^godwit-tunnel: no route to 10.0.3.2[^\n]*\n\Z")

    def test_nothing_to_forward(self):
        self.assert_wrong_use("-L 8080:localhost:80", self.client())

    def test_unknown_flags_and_values(self):
        for flags, pattern in ((["--nonsense"], "--nonsense"),
                               (["-D", "1", "--give-up", "soon"], "--give-up"),
                               (["-D", "1", "--congestion", "best"], "best.*cubic"),
                               (["-D", "1", "--server-key", "x"], "--server-key")):
            with self.subTest(flags):
                self.assert_wrong_use(pattern, self.client(*flags))


if __name__ == "__main__":
    tunnel_lab.main()
