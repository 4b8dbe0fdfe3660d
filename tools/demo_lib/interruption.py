# SPDX-License-Identifier: Apache-2.0
"""Signals that ask the demo to end, and children that end with it."""

import shutil
import signal
import subprocess
import time

# How often whoever waits looks whether it should stop.
POLL_SECONDS = 0.1


class Interrupted(Exception):
    def __init__(self, number):
        super().__init__(f"interrupted by {signal.Signals(number).name}")
        self.exit_code = 128 + number


class Interruption:
    """Remembers a signal, so that it never strikes between starting a child and knowing of it."""

    def __init__(self):
        self._number = None
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._remember)

    def _remember(self, number, _):
        self._number = number

    def check(self):
        if self._number is not None:
            raise Interrupted(self._number)


def dying_with_us(command):
    """`command` so that it gets SIGTERM when this process has ended, also if that was killed."""
    setpriv = shutil.which("setpriv")
    return [setpriv, "--pdeathsig", "TERM", *command] if setpriv else command


def run_to_end(interruption, command, **arguments):
    """The exit code of `command`, which is told of an interruption and waited for."""
    with subprocess.Popen(command, **arguments) as process:
        try:
            while process.poll() is None:
                interruption.check()
                time.sleep(POLL_SECONDS)
        except Interrupted:
            process.send_signal(signal.SIGINT)
            process.wait()
            raise
    return process.returncode
