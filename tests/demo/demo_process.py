# SPDX-License-Identifier: Apache-2.0
"""tools/demo as a process, with its programs built already, and what it leaves behind."""

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time
import unittest

DEMO = pathlib.Path(__file__).absolute().parents[2] / "tools" / "demo_lib" / "demo.py"


def descendants(pid):
    """All processes below `pid`, as (pid, start time): a number alone may be given again."""
    found = set()
    for child in _children(pid):
        start = _start_time(child)
        if start is not None:
            found |= {(child, start)} | descendants(child)
    return found


def _children(pid):
    try:
        tasks = list(pathlib.Path(f"/proc/{pid}/task").iterdir())
        return [int(word) for task in tasks for word in (task / "children").read_text().split()]
    except OSError:
        return []


def _start_time(pid):
    try:
        state, *rest = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (OSError, ValueError):
        return None
    return None if state == "Z" else rest[18]


def still_there(processes):
    return {(pid, start) for pid, start in processes if _start_time(pid) == start}


class DemoTest(unittest.TestCase):
    """`programs` are the arguments that name what is built."""

    programs = []

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.out = pathlib.Path(folder.name, "out")
        # Its temporary files: at the end there are none.
        self.scratch = pathlib.Path(folder.name, "scratch")
        self.scratch.mkdir()

    def start_demo(self, *arguments):
        command = [sys.executable, DEMO, *self.programs, *arguments, "--out", self.out]
        environment = {**os.environ, "TMPDIR": str(self.scratch)}
        return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    def run_demo(self, *arguments):
        """What it printed. Skips the test where the system permits no namespaces."""
        with self.start_demo(*arguments) as demo:
            text = demo.communicate()[0]
        if demo.returncode != 0:
            self._skip_or_fail(text)
        self.assertEqual(list(self.scratch.iterdir()), [])
        return text

    def _skip_or_fail(self, text):
        if "cannot make a network namespace" in text or "cannot make a user namespace" in text:
            self.skipTest(text)
        self.fail(text)

    def results(self):
        return json.loads((self.out / "results.json").read_text(encoding="utf-8"))

    def wait_for_work(self, demo):
        """Until both applications run; their processes, and all others of the demo."""
        processes = set()
        while demo.poll() is None:
            processes |= descendants(demo.pid)
            if sum(_runs_application(pid) for pid, _ in processes) >= 2:
                return processes
            time.sleep(0.02)
        return self._skip_or_fail(demo.communicate()[0])


def _runs_application(pid):
    try:
        words = pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return False
    return any(word.endswith(b"/applications.py") for word in words[:4])
