# SPDX-License-Identifier: Apache-2.0
"""The demo's plots: for each link the download's rate and the requests' latency over time."""

import math

import matplotlib

import links
from figures import latencies_ms, rate_curve

matplotlib.use("svg")
from matplotlib import pyplot

pyplot.rcParams.update(
    {
        "svg.hashsalt": "godwit",
        # Text stays text: smaller, and it can be searched.
        "svg.fonttype": "none",
        "axes.grid": True,
        "axes.spines.right": False,
        "axes.spines.top": False,
        "figure.constrained_layout.use": True,
        "font.size": 9,
        "grid.alpha": 0.3,
        "legend.frameon": False,
        "lines.linewidth": 1.3,
    }
)

_COLORS = {"tcp-cubic": "#d9822b", "tcp-bbr": "#888888", "tunnel": "#1f5fa8"}


def _draw_marks(axes, marks):
    for mark in marks:
        if mark["lasts"]:
            axes.axvspan(mark["at"], mark["at"] + mark["lasts"], color="#b03030", alpha=0.12, linewidth=0)
        else:
            axes.axvline(mark["at"], color="#b03030", linestyle="--", linewidth=1)


def _draw_rate(axes, runs):
    for run in runs:
        times, rates = rate_curve(run)
        axes.plot(times, rates, color=_COLORS[run["transport"]], label=links.TRANSPORTS[run["transport"]].title)
    axes.set_ylabel("download, Mbit/s")
    axes.set_ylim(bottom=0)
    axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=len(runs))


def _draw_latency(axes, runs):
    answered = [latency for run in runs for latency in latencies_ms(run["requests"]) if not math.isinf(latency)]
    # Failed requests lie above all others.
    top = 1.6 * max(answered, default=1_000)
    has_failed = False
    for run in runs:
        color = _COLORS[run["transport"]]
        points = [(request["at"], latency) for request, latency in zip(run["requests"], latencies_ms(run["requests"]))]
        axes.plot(*_columns(p for p in points if not math.isinf(p[1])), ".", color=color, markersize=3, alpha=0.7)
        failed = [(at, top) for at, latency in points if math.isinf(latency)]
        if failed:
            axes.plot(*_columns(failed), "x", color=color, markersize=5)
            has_failed = True
    axes.set_yscale("log")
    axes.set_ylabel("request, ms" + (" (x: failed)" if has_failed else ""))
    axes.set_xlabel("seconds")
    # Plain numbers, and not only at powers of ten.
    axes.yaxis.set_major_locator(matplotlib.ticker.LogLocator(subs=(1, 2, 5)))
    axes.yaxis.set_major_formatter(matplotlib.ticker.FormatStrFormatter("%g"))
    axes.yaxis.set_minor_formatter(matplotlib.ticker.NullFormatter())


def _columns(points):
    points = list(points)
    return [at for at, _ in points], [value for _, value in points]


def draw(runs, path):
    """The runs of one link, as SVG."""
    figure, (rate, latency) = pyplot.subplots(2, 1, sharex=True, figsize=(7.5, 5.5))
    link = links.LINKS[runs[0]["link"]]
    figure.suptitle(link.title, fontsize=10)
    _draw_rate(rate, runs)
    _draw_latency(latency, runs)
    for axes in (rate, latency):
        _draw_marks(axes, runs[0]["marks"])
    rate.set_xlim(0, runs[0]["seconds"])
    # No date: it would be the only difference between two drawings.
    figure.savefig(path, metadata={"Date": None})
    pyplot.close(figure)
