# SPDX-License-Identifier: Apache-2.0
"""What the raw figures of a run come to."""

import dataclasses
import math

# Beyond these, what was measured is the machine and not the link.
MAX_LATENESS_SECONDS = 0.010
MAX_EMULATOR_LATENESS_US = 5_000


@dataclasses.dataclass
class Figures:
    goodput_mbps: float
    # Milliseconds; infinite where a failed request is.
    p50_ms: float
    p95_ms: float
    max_ms: float
    completed_requests: int
    failed_requests: int
    download: str


def percentile(values, percent):
    """The smallest of `values` that `percent` of them do not exceed; None of nothing."""
    if not values:
        return None
    rank = -(-percent * len(values) // 100)
    return sorted(values)[max(rank, 1) - 1]


def latencies_ms(requests):
    """A failed request is slower than any that was answered: leaving it out would reward failing."""
    return [math.inf if request["took"] is None else 1000 * request["took"] for request in requests]


def goodput_mbps(run):
    """Of the work's time; what came later does not count."""
    bins = round(run["seconds"] / run["bin_seconds"])
    return 8 * sum(run["bytes"][:bins]) / run["seconds"] / 1e6


def download_text(download):
    if download["outcome"] in ("broken", "corrupt"):
        return f"{download['outcome']} at {download['last_byte_at']:.1f} s"
    return download["outcome"]


def figures_of(run):
    latencies = latencies_ms(run["requests"])
    failed = sum(math.isinf(latency) for latency in latencies)
    return Figures(
        goodput_mbps=goodput_mbps(run),
        p50_ms=percentile(latencies, 50),
        p95_ms=percentile(latencies, 95),
        max_ms=percentile(latencies, 100),
        completed_requests=len(latencies) - failed,
        failed_requests=failed,
        download=download_text(run["download"]),
    )


def rate_curve(run, bin_seconds=0.2):
    """Times and Mbit/s, in bins of `bin_seconds`, from the begin of the work to its end."""
    each = round(bin_seconds / run["bin_seconds"])
    bins = round(run["seconds"] / run["bin_seconds"])
    counts = (run["bytes"] + [0] * bins)[:bins]
    times, rates = [], []
    for first in range(0, bins, each):
        part = counts[first : first + each]
        seconds = len(part) * run["bin_seconds"]
        times.append(round(first * run["bin_seconds"] + seconds / 2, 6))
        rates.append(8 * sum(part) / seconds / 1e6)
    return times, rates


def doubts(run):
    """Why this run may say more about the machine than about the link: lines of text."""
    found = []
    for direction in ("up", "down"):
        counters = run["emulator"][direction]
        missed = counters["emulator_receive_drops"] + counters["emulator_send_failures"]
        if missed:
            found.append(f"the emulator was too slow for {missed} packets ({direction})")
        if counters["lateness_p99_us"] > MAX_EMULATOR_LATENESS_US:
            found.append(f"the emulator was late by {counters['lateness_p99_us'] / 1000:.1f} ms (p99, {direction})")
    late = percentile([request["late"] for request in run["requests"]], 99)
    if late is not None and late > MAX_LATENESS_SECONDS:
        found.append(f"requests began {1000 * late:.0f} ms late (p99)")
    return found
