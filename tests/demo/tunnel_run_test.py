#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The demo from end to end through the tunnel: tunnel_run_test.py LINK_EMULATOR GODWIT_TUNNEL"""

import os
import signal
import sys
import unittest

sys.dont_write_bytecode = True

from demo_process import DemoTest, descendants, still_there


class TunnelRunTest(DemoTest):

    def test_all_that_the_applications_sent_arrives_through_the_tunnel(self):
        text = self.run_demo("--links", "clean", "--transports", "tunnel", "--seconds", "2")

        self.assertIn("clean, 50 ms  godwit-tunnel", text)
        [run] = self.results()["runs"]
        self.assertEqual((run["download"]["outcome"], run["notes"]), ("completed", []), text)
        self.assertEqual([request["error"] for request in run["requests"]], [None] * 40)
        # A request takes a round trip of the link: it is not answered beside it.
        self.assertGreaterEqual(min(request["took"] for request in run["requests"]), 0.05)

    def test_an_interrupted_demo_leaves_no_tunnel(self):
        with self.start_demo("--links", "clean", "--transports", "tunnel") as demo:
            processes = self.wait_for_work(demo) | descendants(demo.pid)
            demo.send_signal(signal.SIGTERM)
            text = demo.communicate()[0]

        self.assertEqual(demo.returncode, 128 + signal.SIGTERM, text)
        self.assertEqual(still_there(processes), set(), text)
        self.assertEqual(list(self.scratch.iterdir()), [])


if __name__ == "__main__":
    tunnel = os.path.abspath(sys.argv.pop())
    DemoTest.programs = ["--emulator", os.path.abspath(sys.argv.pop()), "--tunnel", tunnel]
    unittest.main()
