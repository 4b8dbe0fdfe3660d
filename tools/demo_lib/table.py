# SPDX-License-Identifier: Apache-2.0
"""The demo's table, and what to notice in it."""

import math

import links
from figures import doubts, figures_of

_HEAD = ["link", "over", "Mbit/s", "download", "p50 ms", "p95 ms", "max ms", "answered", "failed"]
_LEFT = {0, 1, 3}


def _milliseconds(value):
    if value is None:
        return "-"
    return "failed" if math.isinf(value) else f"{value:.0f}"


def _row(run):
    found = figures_of(run)
    return [
        links.LINKS[run["link"]].title,
        links.TRANSPORTS[run["transport"]].title,
        f"{found.goodput_mbps:.1f}",
        found.download,
        _milliseconds(found.p50_ms),
        _milliseconds(found.p95_ms),
        _milliseconds(found.max_ms),
        str(found.completed_requests),
        str(found.failed_requests),
    ]


def _lay_out(rows):
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        cells = (
            cell.ljust(width) if column in _LEFT else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths))
        )
        yield "  ".join(cells).rstrip()


def _best_of(runs):
    """Who is first on a link; two within 2 % of each other both are."""
    found = {links.TRANSPORTS[run["transport"]].title: figures_of(run) for run in runs}
    rate = max(figures.goodput_mbps for figures in found.values())
    fastest = [name for name, figures in found.items() if figures.goodput_mbps >= 0.98 * rate]
    slowness = min(figures.p95_ms for figures in found.values())
    quickest = [name for name, figures in found.items() if figures.p95_ms <= 1.02 * slowness]
    text = f"fastest download: {', '.join(fastest)} ({rate:.1f} Mbit/s)"
    if math.isinf(slowness):
        return text + "; over all of them more than 1 in 20 requests failed"
    return text + f"; quickest requests: {', '.join(quickest)} (p95 {slowness:.0f} ms)"


def by_link(runs):
    grouped = {}
    for run in runs:
        grouped.setdefault(run["link"], []).append(run)
    return grouped


def table(runs):
    """The text that the demo ends with, for one run or more."""
    rows = list(_lay_out([_HEAD, *map(_row, runs)]))
    lines = [rows[0], "-" * max(map(len, rows))]
    number = 1
    for group in by_link(runs).values():
        lines += rows[number : number + len(group)]
        number += len(group)
    comparable = {name: group for name, group in by_link(runs).items() if len(group) > 1}
    if comparable:
        lines.append("")
    for name, group in comparable.items():
        lines.append(f"{links.LINKS[name].title}: {_best_of(group)}")
    for run in runs:
        for doubt in doubts(run):
            lines.append(f"DOUBTFUL: {run['link']} over {run['transport']}: {doubt}; is the machine busy?")
    return "\n".join(lines) + "\n"
