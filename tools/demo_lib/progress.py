# SPDX-License-Identifier: Apache-2.0
"""Tells how far a run is: a bar on a terminal, plain lines elsewhere."""

import shutil
import sys
import time

import links
from figures import download_text, goodput_mbps, latencies_ms, percentile

_BAR_WIDTH = 20
_REDRAW_SECONDS = 0.2
_CLEAR_LINE = "\r\033[K"


def _so_far(mbps, requests):
    median = percentile(latencies_ms(requests), 50)
    return f"{mbps:5.1f} Mbit/s" + (f", requests p50 {median:.0f} ms" if median is not None else "")


class RunProgress:
    def __init__(self, number, count, link, transport):
        self._name = f"[{number}/{count}] {link.title:<24} {transport.title:<14}"
        self._is_terminal = sys.stdout.isatty()
        self._begin = None
        self._drawn_at = 0.0
        if self._is_terminal:
            self._draw(f"{self._bar(0)} getting ready")
        else:
            print(f"{self._name} ...", flush=True)

    def update(self, record):
        now = time.monotonic()
        if record.has_begun and self._begin is None:
            self._begin = now
        if not self._is_terminal or self._begin is None or now - self._drawn_at < _REDRAW_SECONDS:
            return
        self._drawn_at = now
        seconds = min(now - self._begin, record.run["seconds"])
        share = seconds / record.run["seconds"]
        waiting = ", waiting for the last" if share >= 1 else ""
        mbps = 8 * sum(record.run["bytes"]) / max(seconds, _REDRAW_SECONDS) / 1e6
        self._draw(f"{self._bar(share)} {_so_far(mbps, record.run['requests'])}{waiting}")

    def finish(self, run):
        """`run` is over."""
        text = f"{_so_far(goodput_mbps(run), run['requests'])}, download {download_text(run['download'])}"
        print(f"{_CLEAR_LINE if self._is_terminal else ''}{self._name} {text}", flush=True)
        for note in run["notes"]:
            print(f"    {note}")

    def abandon(self):
        if self._is_terminal:
            print()

    def _bar(self, share):
        filled = round(share * _BAR_WIDTH)
        return f"[{'#' * filled}{'.' * (_BAR_WIDTH - filled)}]"

    def _draw(self, text):
        # Within a line, or the terminal would begin a new one each time.
        line = f"{self._name} {text}"[: shutil.get_terminal_size().columns - 1]
        print(f"{_CLEAR_LINE}{line}", end="", flush=True)
