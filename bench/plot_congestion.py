#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Draws the plots of docs/congestion.md from the CSV files of the congestion report.

    bazel run --config=opt //tests/sim:congestion_report -- DIRECTORY
    python3 bench/plot_congestion.py DIRECTORY docs/congestion

The same samples and the same matplotlib give the same files, byte for byte.
"""

import csv
import pathlib
import sys

try:
    import matplotlib
except ImportError:
    sys.exit("plot_congestion.py needs matplotlib: apt-get install python3-matplotlib")

matplotlib.use("svg")
from matplotlib import pyplot

pyplot.rcParams.update(
    {
        "svg.hashsalt": "godwit",
        # Text stays text: smaller, and it can be searched.
        "svg.fonttype": "none",
        "path.simplify_threshold": 0.5,
        "axes.grid": True,
        "axes.spines.right": False,
        "axes.spines.top": False,
        "figure.constrained_layout.use": True,
        "font.size": 9,
        "grid.alpha": 0.3,
        "legend.frameon": False,
        "lines.linewidth": 1.1,
    }
)

BLUE, ORANGE, GREY, RED = "#1f5fa8", "#d9822b", "#888888", "#b03030"
BDP_KB = 500


def read(path):
    """The columns of a CSV file by name."""
    with open(path, newline="", encoding="ascii") as file:
        rows = list(csv.DictReader(file))
    return {name: [float(row[name]) for row in rows] for name in rows[0]}


def part(columns, begin, end):
    """The rows whose time is in [begin, end)."""
    keep = [begin <= time < end for time in columns["s"]]
    return {name: [v for v, k in zip(values, keep) if k] for name, values in columns.items()}


def panels(count, height):
    figure, axes = pyplot.subplots(count, 1, sharex=True, figsize=(7.5, height), squeeze=False)
    axes[-1][0].set_xlabel("seconds")
    return figure, [row[0] for row in axes]


def save(figure, path):
    # No date: it would be the only difference between two drawings.
    figure.savefig(path, metadata={"Date": None})
    pyplot.close(figure)


def draw_one_flow(source, target):
    run = read(source / "one_flow.csv")
    figure, (window, queue, rate) = panels(3, 5.5)
    window.plot(run["s"], run["window_kb_1"], color=BLUE, label="congestion window")
    window.plot(run["s"], run["in_flight_kb_1"], color=ORANGE, linewidth=0.7, label="bytes in flight")
    window.axhline(BDP_KB, color=GREY, linestyle=":", label="bandwidth-delay product")
    window.set_ylabel("KB")
    window.legend(loc="upper right", ncols=3)
    queue.plot(run["s"], run["queue_kb"], color=RED)
    queue.set_ylabel("queue, KB")
    rate.plot(run["s"], run["link_mbps"], color=BLUE)
    rate.set_ylabel("link, Mbit/s")
    rate.set_ylim(0, 110)
    save(figure, target / "one_flow.svg")


def draw_curve(source, target):
    run = part(read(source / "curve.csv"), 0.6, 40)
    figure, (window, off) = panels(2, 4.5)
    for stage in sorted(set(run["stage"])):
        rows = [i for i, number in enumerate(run["stage"]) if number == stage]
        seconds = [run["s"][i] for i in rows]
        is_first = rows[0] == 0
        window.plot(seconds, [run["window_kb"][i] for i in rows], color=BLUE, linewidth=2.4, alpha=0.5,
                    label="window" if is_first else None)
        window.plot(seconds, [run["formula_kb"][i] for i in rows], color="black", linewidth=0.8, linestyle="--",
                    label="RFC 9438, W_cubic(t)" if is_first else None)
        window.plot(seconds, [run["max_kb"][i] for i in rows], color=GREY, linewidth=0.8, linestyle=":",
                    label="W_max" if is_first else None)
        off.plot(seconds, [100 * (run["window_kb"][i] / run["formula_kb"][i] - 1) for i in rows], color=RED)
    window.set_ylabel("KB")
    window.set_ylim(600, 1020)
    window.legend(loc="lower right", ncols=3)
    off.set_ylabel("off the formula, %")
    off.set_ylim(-0.1, 0.1)
    save(figure, target / "curve.svg")


def draw_two_flows(source, target):
    run = read(source / "two_flows.csv")
    figure, (rate, window, queue) = panels(3, 5.5)
    for flow, color in (("1", BLUE), ("2", ORANGE)):
        rate.plot(run["s"], run["received_mbps_" + flow], color=color, label="flow " + flow)
        window.plot(run["s"], run["window_kb_" + flow], color=color)
    rate.axhline(50, color=GREY, linestyle=":", label="half of the link")
    rate.set_ylabel("received, Mbit/s")
    rate.legend(loc="upper right", ncols=3)
    window.set_ylabel("window, KB")
    queue.plot(run["s"], run["queue_kb"], color=RED, linewidth=0.7)
    queue.set_ylabel("queue, KB")
    save(figure, target / "two_flows.svg")


def draw_fairness(source, target):
    runs = read(source / "fairness.csv")
    figure, axes = pyplot.subplots(figsize=(7.5, 2.8))
    axes.plot(runs["seed"], runs["fairness"], "o", color=BLUE, label="of the rates over 60 s to 180 s")
    axes.plot(runs["seed"], runs["mean_of_seconds"], "x", color=ORANGE, label="mean of the index of every second")
    axes.axhline(0.98, color=GREY, linestyle=":", label="0.98")
    axes.set_xticks(runs["seed"])
    axes.set_ylim(0.92, 1.002)
    axes.set_xlabel("seed")
    axes.set_ylabel("Jain's index")
    axes.legend(loc="lower right", ncols=3)
    save(figure, target / "fairness.svg")


def draw_slow_start(source, target):
    run = part(read(source / "slow_start.csv"), 0, 2.5)
    figure, (window, queue, rtt) = panels(3, 5.0)
    window.plot(run["s"], [kb / BDP_KB for kb in run["window_kb_1"]], color=BLUE, label="congestion window")
    window.plot(run["s"], [kb / BDP_KB for kb in run["in_flight_kb_1"]], color=ORANGE, label="bytes in flight")
    window.set_ylabel("BDP")
    window.legend(loc="lower right")
    queue.plot(run["s"], [kb / BDP_KB for kb in run["queue_kb"]], color=RED, label="queue")
    queue.axhline(16, color=GREY, linestyle=":", label="its size")
    queue.set_ylabel("queue, BDP")
    queue.legend(loc="upper left")
    rtt.plot(run["s"], run["rtt_ms_1"], color=BLUE)
    rtt.set_ylabel("latest RTT, ms")
    save(figure, target / "slow_start.svg")


def main():
    if len(sys.argv) != 3:
        sys.exit("usage: plot_congestion.py DIRECTORY_OF_CSV DIRECTORY_OF_SVG")
    source, target = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    target.mkdir(parents=True, exist_ok=True)
    for draw in (draw_one_flow, draw_curve, draw_two_flows, draw_fairness, draw_slow_start):
        draw(source, target)


if __name__ == "__main__":
    main()
