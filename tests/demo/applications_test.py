#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The demo's applications: whether what came is what was sent."""

import pathlib
import socket
import subprocess
import sys
import threading
import unittest

sys.dont_write_bytecode = True
LIBRARY = str(pathlib.Path(__file__).absolute().parents[2] / "tools" / "demo_lib")
sys.path.insert(0, LIBRARY)

import applications
from applications import DownloadCheck, Meter, make_answer, make_request, pattern, send_until_asked, trailer


def checked(*pieces):
    check = DownloadCheck()
    for piece in pieces:
        check.add(bytes(piece))
    return check


class DownloadCheckTest(unittest.TestCase):

    def test_a_whole_download_is_complete_however_it_is_cut(self):
        for size, length in ((7, 5_000), (24, 5_000), (4_096, 3_000_000), (65_536, 3_000_000)):
            with self.subTest(size):
                data = b"".join(bytes(pattern(at, 1000)) for at in range(0, length, 1000)) + trailer(length)
                check = checked(*(data[at : at + size] for at in range(0, len(data), size)))
                self.assertTrue(check.is_complete())

    def test_an_empty_download_is_complete(self):
        self.assertTrue(checked(trailer(0)).is_complete())

    def test_without_a_trailer_it_is_not_complete(self):
        check = checked(pattern(0, 10_000))
        self.assertTrue(check.is_right)
        self.assertFalse(check.is_complete())

    def test_a_trailer_for_another_length_is_not_its_end(self):
        self.assertFalse(checked(pattern(0, 1000), trailer(1001)).is_complete())

    def test_wrong_bytes_are_noticed(self):
        whole = bytes(pattern(0, 2000))
        changed = whole[:1500] + bytes([whole[1500] ^ 1]) + whole[1501:]
        for name, data in (
            ("changed", changed),
            ("lost", whole[:1000] + whole[1001:]),
            ("doubled", whole[:1000] + whole[500:]),
            ("swapped", whole[1000:] + whole[:1000]),
        ):
            with self.subTest(name):
                self.assertFalse(checked(data, trailer(len(data))).is_right)


class MeterTest(unittest.TestCase):

    def test_bytes_are_told_by_the_bin_in_which_they_came(self):
        told = []
        meter = Meter(lambda number, count: told.append((number, count)))

        for at, count in ((0.01, 10), (0.09, 5), (0.11, 7), (0.55, 1)):
            meter.add(at, count)
        self.assertEqual(told, [(0, 15), (1, 7)])

        meter.flush()
        self.assertEqual(told, [(0, 15), (1, 7), (5, 1)])


class ServerTest(unittest.TestCase):

    def test_the_download_ends_when_the_client_has_sent_its_fin(self):
        with socket.create_server(("127.0.0.1", 0)) as listener:
            client = socket.create_connection(listener.getsockname())
            connection, _ = listener.accept()
        with client, connection:
            sender = threading.Thread(target=lambda: (send_until_asked(connection), connection.close()))
            sender.start()
            check = DownloadCheck()
            check.add(client.recv(65_536))
            client.shutdown(socket.SHUT_WR)
            while data := client.recv(65_536):
                check.add(data)
            sender.join()

        self.assertTrue(check.is_complete())

    def test_requests_and_their_answers_differ_from_each_other(self):
        answers = {make_answer(make_request(number)) for number in range(100)}

        self.assertEqual(len(answers), 100)
        self.assertEqual({len(answer) for answer in answers}, {applications.ANSWER_BYTES})
        self.assertEqual(len(make_request(1)), applications.REQUEST_BYTES)


class ProcessTest(unittest.TestCase):

    def test_a_process_knows_when_it_began(self):
        script = "import applications; print(applications.seconds_since_process_began())"
        child = subprocess.run([sys.executable, "-Bc", script], cwd=LIBRARY, stdout=subprocess.PIPE, check=True)

        self.assertGreaterEqual(float(child.stdout), 0)
        self.assertLess(float(child.stdout), applications.seconds_since_process_began())


if __name__ == "__main__":
    unittest.main()
