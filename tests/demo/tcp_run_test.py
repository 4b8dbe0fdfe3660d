#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The demo from end to end over plain TCP: tcp_run_test.py LINK_EMULATOR"""

import os
import signal
import sys
import unittest

sys.dont_write_bytecode = True

from demo_process import DemoTest, descendants, still_there


class TcpRunTest(DemoTest):

    def test_a_run_over_tcp_ends_with_a_table_and_raw_figures(self):
        text = self.run_demo("--links", "clean", "--transports", "tcp-cubic", "--seconds", "2")

        self.assertIn("clean, 50 ms  TCP cubic", text)
        [run] = self.results()["runs"]
        self.assertEqual(run["download"]["outcome"], "completed")
        self.assertEqual(len(run["requests"]), 40)
        self.assertEqual([request["error"] for request in run["requests"]], [None] * 40)
        # A connection and a request are two round trips of 50 ms.
        self.assertGreaterEqual(min(request["took"] for request in run["requests"]), 0.1)
        self.assertGreater(sum(run["bytes"]), 0)
        # The link's rate is a limit: 50 Mbit/s, and what queue and drain add.
        self.assertLess(sum(run["bytes"][:20]), 2 * 50e6 / 8 * 1.1)

    def test_nothing_is_left_of_an_interrupted_demo(self):
        for number in (signal.SIGINT, signal.SIGTERM):
            with self.subTest(number.name):
                with self.start_demo("--links", "clean", "--transports", "tcp-cubic") as demo:
                    processes = self.wait_for_work(demo) | descendants(demo.pid)
                    demo.send_signal(number)
                    text = demo.communicate()[0]

                self.assertEqual(demo.returncode, 128 + number, text)
                self.assertEqual(still_there(processes), set(), text)
                self.assertEqual(list(self.scratch.iterdir()), [])


if __name__ == "__main__":
    DemoTest.programs = ["--emulator", os.path.abspath(sys.argv.pop(1))]
    unittest.main()
