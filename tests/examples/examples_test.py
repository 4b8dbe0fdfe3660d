#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Runs every example over the loopback interface."""

import pathlib
import random
import re
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True  # the tree stays as it was

from server_process import Certificate, Server, run

EXAMPLES = pathlib.Path("examples")
WRONG_PIN = "00" * 32


class ExamplesTest(unittest.TestCase):
    def setUp(self):
        self.folder = self.enterContext(tempfile.TemporaryDirectory())
        self.certificate = Certificate(self.folder)

    def start(self, *command):
        server = Server(*command)
        self.addCleanup(server.stop)
        return server

    def start_echo_server(self):
        return self.start(EXAMPLES / "echo_server", self.certificate.chain, self.certificate.key, "127.0.0.1:0")

    def test_a_text_is_echoed(self):
        server = self.start_echo_server()

        client = run(EXAMPLES / "echo_client", "127.0.0.1", server.port, self.certificate.pin, "hello, godwit")

        self.assertEqual((client.returncode, client.stdout), (0, "hello, godwit"))
        self.assertEqual(server.stop(), 0)

    def test_nothing_is_echoed_as_nothing(self):
        server = self.start_echo_server()

        client = run(EXAMPLES / "echo_client", "127.0.0.1", server.port, self.certificate.pin, "")

        self.assertEqual((client.returncode, client.stdout), (0, ""))

    def test_a_server_with_another_key_is_refused(self):
        server = self.start_echo_server()

        client = run(EXAMPLES / "echo_client", "127.0.0.1", server.port, WRONG_PIN, "hello")

        self.assertEqual((client.returncode, client.stdout), (1, ""))

    def test_coroutines_echo_a_text(self):
        server = self.start(EXAMPLES / "coroutine_echo_server", self.certificate.chain, self.certificate.key,
                            "127.0.0.1:0")

        client = run(EXAMPLES / "coroutine_echo_client", "127.0.0.1", server.port, self.certificate.pin, "hello, godwit")

        self.assertEqual((client.returncode, client.stdout), (0, "hello, godwit"))
        self.assertEqual(server.stop(), 0)

    def test_coroutines_and_handlers_understand_each_other(self):
        text = "long " * 20_000  # As much as fits into an argument.
        programs = [("echo_server", "coroutine_echo_client"), ("coroutine_echo_server", "echo_client")]
        for of_server, of_client in programs:
            server = self.start(EXAMPLES / of_server, self.certificate.chain, self.certificate.key, "127.0.0.1:0")

            client = run(EXAMPLES / of_client, "127.0.0.1", server.port, self.certificate.pin, text)

            self.assertEqual((client.returncode, client.stdout), (0, text))

    def test_a_coroutine_refuses_a_server_with_another_key(self):
        server = self.start_echo_server()

        client = run(EXAMPLES / "coroutine_echo_client", "127.0.0.1", server.port, WRONG_PIN, "hello")

        self.assertEqual((client.returncode, client.stdout), (1, ""))

    def test_a_file_arrives_whole(self):
        content = random.Random(1).randbytes(5_000_000)
        sent = pathlib.Path(self.folder, "sent.bin")
        sent.write_bytes(content)
        received = pathlib.Path(self.folder, "received")
        received.mkdir()
        server = self.start(EXAMPLES / "file_transfer", "receive", self.certificate.chain, self.certificate.key,
                            received, "127.0.0.1:0")

        client = run(EXAMPLES / "file_transfer", "send", "127.0.0.1", server.port, self.certificate.pin, sent)

        self.assertEqual(client.returncode, 0)
        self.assertEqual(server.next_line(), "received sent.bin, 5000000 bytes\n")
        self.assertEqual((received / "sent.bin").read_bytes(), content)
        self.assertEqual(list(received.iterdir()), [received / "sent.bin"])

    def test_an_empty_file_arrives(self):
        sent = pathlib.Path(self.folder, "empty")
        sent.touch()
        received = pathlib.Path(self.folder, "received")
        received.mkdir()
        server = self.start(EXAMPLES / "file_transfer", "receive", self.certificate.chain, self.certificate.key,
                            received, "127.0.0.1:0")

        client = run(EXAMPLES / "file_transfer", "send", "127.0.0.1", server.port, self.certificate.pin, sent)

        self.assertEqual(client.returncode, 0)
        self.assertEqual(server.next_line(), "received empty, 0 bytes\n")
        self.assertEqual((received / "empty").read_bytes(), b"")

    def test_a_file_that_is_there_is_not_overwritten(self):
        sent = pathlib.Path(self.folder, "same")
        sent.write_text("new")
        received = pathlib.Path(self.folder, "received")
        received.mkdir()
        (received / "same").write_text("old")
        server = self.start(EXAMPLES / "file_transfer", "receive", self.certificate.chain, self.certificate.key,
                            received, "127.0.0.1:0")

        client = run(EXAMPLES / "file_transfer", "send", "127.0.0.1", server.port, self.certificate.pin, sent)

        self.assertEqual(client.returncode, 1)
        self.assertEqual((received / "same").read_text(), "old")

    def test_datagrams_are_answered(self):
        server = self.start(EXAMPLES / "datagram_ping", "serve", self.certificate.chain, self.certificate.key,
                            "127.0.0.1:0")

        client = run(EXAMPLES / "datagram_ping", "ping", "127.0.0.1", server.port, self.certificate.pin, "3", "1")

        self.assertEqual(client.returncode, 0)
        self.assertEqual(client.stdout.splitlines()[-1], "3 sent, 3 answered")
        self.assertRegex(client.stdout.splitlines()[0], r"^answer 0 after \d+\.\d{3} ms$")

    def test_bytes_move_under_an_own_congestion_controller(self):
        server = self.start_echo_server()

        client = run(EXAMPLES / "own_congestion_controller", "127.0.0.1", server.port, self.certificate.pin,
                     "2000000")

        self.assertEqual(client.returncode, 0)
        self.assertTrue(re.match(r"2000000 bytes came back; twice_bdp: window \d+ bytes", client.stdout),
                        client.stdout)

    def test_lines_are_echoed_in_a_foreign_loop(self):
        server = self.start_echo_server()

        client = run(EXAMPLES / "foreign_poll_loop", "127.0.0.1", server.port, self.certificate.pin,
                     input="one\ntwo\n")

        self.assertEqual((client.returncode, client.stdout), (0, "one\ntwo\n"))

    def test_wrong_arguments_are_answered_with_the_usage(self):
        for name in ["echo_client", "echo_server", "file_transfer", "datagram_ping", "own_congestion_controller",
                     "foreign_poll_loop"]:
            with self.subTest(name):
                self.assertEqual(run(EXAMPLES / name).returncode, 2)


if __name__ == "__main__":
    unittest.main()
