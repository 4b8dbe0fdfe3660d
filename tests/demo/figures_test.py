#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What the demo makes of raw figures: statistics, table, plots; and what it asks the emulator for."""

import contextlib
import importlib.util
import io
import math
import pathlib
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).absolute().parents[2] / "tools" / "demo_lib"))

import links
from emulation import Record
from figures import doubts, figures_of, goodput_mbps, percentile, rate_curve
from options import read_options
from table import table

COUNTERS = {"emulator_receive_drops": 0, "emulator_send_failures": 0, "lateness_p99_us": 40}


def a_request(took, at=0.0, late=0.001):
    return {"at": at, "late": late, "took": took, "error": None if took is not None else "no answer in 10 s"}


def a_run(transport="tcp-cubic", tooks=(0.1, 0.2), counts=(), outcome="completed", **changes):
    return {
        "link": "clean",
        "transport": transport,
        "seconds": 2,
        "bin_seconds": 0.1,
        "bytes": list(counts),
        "requests": [a_request(took, at=0.05 * number) for number, took in enumerate(tooks)],
        "download": {"outcome": outcome, "reason": None, "last_byte_at": 1.25},
        "marks": [],
        "notes": [],
        "emulator": {"up": dict(COUNTERS), "down": dict(COUNTERS)},
        **changes,
    }


class StatisticsTest(unittest.TestCase):

    def test_a_percentile_is_one_of_the_values(self):
        values = list(range(20, 0, -1))

        self.assertEqual(percentile(values, 50), 10)
        self.assertEqual(percentile(values, 95), 19)
        self.assertEqual(percentile(values, 100), 20)
        self.assertEqual(percentile([3, 1, 2], 50), 2)
        self.assertEqual(percentile([7], 50), 7)
        self.assertIsNone(percentile([], 50))

    def test_failed_requests_are_the_slowest(self):
        found = figures_of(a_run(tooks=[None] + [0.1] * 18 + [0.2]))

        self.assertEqual(found.p50_ms, 100)
        self.assertEqual(found.p95_ms, 200)
        self.assertTrue(math.isinf(found.max_ms))
        self.assertEqual((found.completed_requests, found.failed_requests), (19, 1))

    def test_bytes_after_the_work_are_no_goodput(self):
        self.assertAlmostEqual(goodput_mbps(a_run(counts=[125_000] * 20)), 10)
        self.assertAlmostEqual(goodput_mbps(a_run(counts=[125_000] * 20 + [9_999_999])), 10)
        self.assertAlmostEqual(goodput_mbps(a_run(counts=[125_000] * 10)), 5)
        self.assertEqual(goodput_mbps(a_run()), 0)

    def test_the_curve_covers_the_work_also_where_nothing_came(self):
        times, rates = rate_curve(a_run(counts=[25_000, 0, 50_000, 50_000, 9], seconds=1))

        self.assertEqual(times, [0.1, 0.3, 0.5, 0.7, 0.9])
        for rate, expected in zip(rates, [1, 4, 0.00036, 0, 0]):
            self.assertAlmostEqual(rate, expected)

    def test_what_is_broken_says_when_the_last_byte_came(self):
        self.assertEqual(figures_of(a_run(outcome="broken")).download, "broken at 1.2 s")
        self.assertEqual(figures_of(a_run()).download, "completed")

    def test_a_busy_machine_is_doubted(self):
        self.assertEqual(doubts(a_run()), [])
        for name, value in (("emulator_receive_drops", 1), ("emulator_send_failures", 1), ("lateness_p99_us", 6_000)):
            with self.subTest(name):
                run = a_run()
                run["emulator"]["down"][name] = value
                self.assertEqual(len(doubts(run)), 1)
        self.assertEqual(len(doubts(a_run(requests=[a_request(0.1, late=0.05)]))), 1)


class TableTest(unittest.TestCase):

    def test_a_row_has_the_figures_of_its_run(self):
        head, _, row = table([a_run(counts=[125_000] * 20, tooks=[0.1] * 18 + [0.2, None])]).splitlines()

        self.assertEqual(head.split("  ")[0], "link")
        cells = [cell for cell in row.split("  ") if cell]
        self.assertEqual(
            [cell.strip() for cell in cells],
            ["clean, 50 ms", "TCP cubic", "10.0", "completed", "100", "200", "failed", "19", "1"],
        )

    def test_who_is_first_is_said_whoever_it_is(self):
        cubic = a_run(counts=[125_000] * 20, tooks=[0.1])
        tunnel = a_run("tunnel", counts=[100_000] * 20, tooks=[0.05])

        text = table([cubic, tunnel])

        self.assertIn("clean, 50 ms: fastest download: TCP cubic (10.0 Mbit/s); ", text)
        self.assertIn("quickest requests: godwit-tunnel (p95 50 ms)", text)

    def test_those_within_two_percent_share_the_first_place(self):
        text = table([a_run(counts=[100_000] * 20), a_run("tcp-bbr", counts=[99_000] * 20)])

        self.assertIn("fastest download: TCP cubic, TCP bbr (8.0 Mbit/s)", text)

    def test_nobody_is_quickest_where_all_failed(self):
        text = table([a_run(tooks=[None]), a_run("tunnel", tooks=[None])])

        self.assertIn("more than 1 in 20 requests failed", text)
        self.assertNotIn("quickest", text)

    def test_doubts_are_in_the_text(self):
        self.assertIn("DOUBTFUL: clean over tcp-cubic: ", table([a_run(requests=[a_request(0.1, late=1)])]))


class RecordTest(unittest.TestCase):

    def test_events_become_the_raw_figures(self):
        link = links.LINKS["outage"]
        record = Record(link, links.TRANSPORTS["tunnel"], read_options(["--seconds", "10"]))

        for event in (
            {"event": "begin", "at": 2.5},
            {"event": "bytes", "bin": 3, "count": 40},
            {"event": "bytes", "bin": 1, "count": 20},
            {"event": "request", **a_request(0.2, at=0.05)},
            {"event": "request", **a_request(None, at=0.0)},
            {"event": "download", "outcome": "completed", "reason": None, "last_byte_at": 10.0},
            {"event": "end"},
        ):
            record.add(event)
        run = record.finish({})

        self.assertTrue(record.has_ended)
        self.assertEqual(run["bytes"], [0, 20, 0, 40])
        self.assertEqual([request["at"] for request in run["requests"]], [0.0, 0.05])
        # The work began half a second late, so the marks came half a second early.
        self.assertEqual([(mark["what"], mark["at"]) for mark in run["marks"]], [("outage", 1.5), ("address change", 5.5)])


class OptionsTest(unittest.TestCase):

    def refusal(self, *arguments):
        complaint = io.StringIO()
        with contextlib.redirect_stderr(complaint), self.assertRaises(SystemExit) as exit_:
            read_options(arguments)
        self.assertEqual(exit_.exception.code, 2)
        return complaint.getvalue()

    def test_three_links_by_default_and_all_in_full(self):
        self.assertEqual(read_options([]).links, ["clean", "loss", "outage"])
        self.assertEqual(read_options(["--full"]).links, list(links.LINKS))
        self.assertEqual(read_options(["--links", "loss5, clean,loss5"]).links, ["loss5", "clean"])

    def test_wrong_use_is_refused_with_what_is_right(self):
        self.assertIn("known: clean, loss,", self.refusal("--links", "train"))
        self.assertIn("known: tcp-cubic,", self.refusal("--transports", "udp"))
        self.assertIn("--seconds 10 or more", self.refusal("--seconds", "9"))
        self.assertIn("from 2 to 600", self.refusal("--seconds", "0"))
        self.assertIn("below 2^64", self.refusal("--seed", "-1"))
        self.assertIn("leave out", self.refusal("--full", "--links", "clean"))
        self.assertIn("no file", self.refusal("--tunnel", "/nonexistent"))

    def test_a_short_run_of_a_link_without_outage_is_allowed(self):
        self.assertEqual(read_options(["--seconds", "2", "--links", "clean"]).seconds, 2)


class LinksTest(unittest.TestCase):

    def test_outage_and_address_change_follow_the_length_of_the_work(self):
        script = links.LINKS["outage"].script(15)

        self.assertIn("; at 5000ms outage 3s; at 11000ms client-address next", script)
        self.assertNotIn("at ", links.LINKS["loss"].script(15))


@unittest.skipUnless(importlib.util.find_spec("matplotlib"), "matplotlib is not installed")
class PlotsTest(unittest.TestCase):

    def test_a_plot_names_its_transports_and_says_what_failed(self):
        import plots

        marks = [{"what": "outage", "at": 0.4, "lasts": 0.3}, {"what": "address change", "at": 1.0, "lasts": 0.0}]
        runs = [a_run(counts=[1000] * 5, tooks=[0.1, None], marks=marks), a_run("tunnel", tooks=[0.05], marks=marks)]

        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder, "clean.svg")
            plots.draw(runs, path)
            text = path.read_text(encoding="utf-8")

        for words in ("clean, 50 ms", "TCP cubic", "godwit-tunnel", "x: failed"):
            self.assertIn(words, text)

    def test_a_run_in_which_all_requests_failed_can_be_drawn(self):
        import plots

        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder, "clean.svg")
            plots.draw([a_run(tooks=[None, None])], path)
            self.assertTrue(path.exists())


if __name__ == "__main__":
    unittest.main()
