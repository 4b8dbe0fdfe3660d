# SPDX-License-Identifier: Apache-2.0
"""Runs godwit's tests in the configurations of a tier and counts them.

Called by tools/test. The last line printed is `N passed, N failed`, with
`, N skipped` when a test was skipped; the exit status is 0 only if none failed
and at least one ran.
"""

import argparse
import dataclasses
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.parse
import xml.etree.ElementTree

# What each tier spends. Tier 1 stays under 25 minutes on two cores from a clean
# clone; its budgets are counts (seeds, inputs), never seconds, so that a slow
# machine makes it slower and not red.
TIER_1_SEEDS = 300
TIER_1_SANITIZER_SEEDS = 40
TIER_2_SEEDS = 50_000
TIER_2_SANITIZER_SEEDS = 2_000
TIER_2_TIMEOUT_SECONDS = 4 * 3600


@dataclasses.dataclass
class Step:
    """One call of bazel."""

    name: str
    command: list
    flags: list
    targets: list


@dataclasses.dataclass
class Count:
    passed: int = 0
    failed: int = 0
    skipped: int = 0

    def add(self, other):
        self.passed += other.passed
        self.failed += other.failed
        self.skipped += other.skipped

    def __str__(self):
        text = f"{self.passed} passed, {self.failed} failed"
        return text + (f", {self.skipped} skipped" if self.skipped else "")


def parse_arguments():
    parser = argparse.ArgumentParser(
        prog="tools/test",
        description="Without an option: tier 1, what CI runs.",
        epilog="Options and target patterns narrow the run: tools/test --asan //base/...",
    )
    parser.add_argument("--long", action="store_true", help="tier 2: many seeds, long tests, fuzzing; before a release")
    parser.add_argument("--fuzz", type=int, metavar="SECONDS", help="run each fuzzer for SECONDS (with --long: 60 if not given)")
    parser.add_argument("--asan", action="store_true", help="under AddressSanitizer only")
    parser.add_argument("--ubsan", action="store_true", help="under UndefinedBehaviorSanitizer only")
    parser.add_argument("--tsan", action="store_true", help="under ThreadSanitizer only: the tests with the tag 'threads'")
    parser.add_argument("--coverage", action="store_true", help="line coverage by folder")
    parser.add_argument("targets", nargs="*", default=["//..."], help="Bazel target patterns; default //...")
    arguments = parser.parse_args()
    if arguments.fuzz is not None and arguments.fuzz < 1:
        parser.error("--fuzz takes a number of seconds from 1")
    return arguments


def seeds(count):
    return [f"--test_env=GODWIT_SIM_SEEDS={count}"]


def sanitizer_step(name, config, targets, extra=()):
    flags = [f"--config={config}", "--build_tests_only", *extra]
    return Step(name, ["test"], flags, targets)


def tsan_step(targets):
    return sanitizer_step("tsan", "tsan", targets, ["--test_tag_filters=threads,-long"])


def steps_of(arguments):
    targets = arguments.targets
    named = []
    if arguments.asan:
        named.append(sanitizer_step("asan", "asan", targets, seeds(TIER_1_SANITIZER_SEEDS)))
    if arguments.ubsan:
        named.append(sanitizer_step("ubsan", "ubsan", targets, seeds(TIER_1_SANITIZER_SEEDS)))
    if arguments.tsan:
        named.append(tsan_step(targets))
    if arguments.coverage:
        named.append(Step("coverage", ["coverage"], ["--config=coverage", *seeds(TIER_1_SANITIZER_SEEDS)], targets))
    if named or (arguments.fuzz and not arguments.long):
        return named
    sim = TIER_2_SEEDS if arguments.long else TIER_1_SEEDS
    sanitizer_sim = TIER_2_SANITIZER_SEEDS if arguments.long else TIER_1_SANITIZER_SEEDS
    patience = [f"--test_timeout={TIER_2_TIMEOUT_SECONDS}"] if arguments.long else []
    steps = [
        Step("g++", ["test"], [*seeds(sim), *patience], targets),
        sanitizer_step("asan+ubsan", "asan-ubsan", targets, [*seeds(sanitizer_sim), *patience]),
        tsan_step(targets),
        Step("clang builds", ["build"], ["--config=clang"], targets),
    ]
    if arguments.long:
        steps.append(Step("long", ["test"], ["--config=opt", *patience], long_tests(targets)))
    return [s for s in steps if s.targets]


def long_tests(targets):
    """The tests that have the tag `long`: they are `manual` too, so that //... leaves them out."""
    query = 'attr(tags, "\\\\blong\\\\b", tests(%s))' % " + ".join(targets)
    found = subprocess.run(["bazel", "query", query], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    return found.stdout.split()


def count_cases(path):
    """Counts the test cases of one test.xml; a file that cannot be read counts as one."""
    try:
        root = xml.etree.ElementTree.parse(path).getroot()
    except (OSError, xml.etree.ElementTree.ParseError):
        return None
    count = Count()
    for case in root.iter("testcase"):
        if case.get("status") == "notrun":
            continue
        if case.find("failure") is not None or case.find("error") is not None:
            count.failed += 1
        elif case.find("skipped") is not None or case.get("result") == "skipped":
            count.skipped += 1
        else:
            count.passed += 1
    return count


def read_events(path):
    """Reads bazel's build events: what ran, where its results lie, what was not built."""
    count = Count()
    problems = []
    skips = []
    with open(path, encoding="utf-8") as file:
        for line in file:
            event = json.loads(line)
            label = event["id"].get("testResult", {}).get("label")
            if label:
                result = event["testResult"]
                xml_path = next(
                    (
                        urllib.parse.urlparse(output["uri"]).path
                        for output in result.get("testActionOutput", [])
                        if output["name"] == "test.xml"
                    ),
                    None,
                )
                cases = count_cases(xml_path) if xml_path else None
                passed = result["status"] == "PASSED"
                # A crash may leave an XML that knows of no failure, or none.
                if cases is None or (not passed and not cases.failed):
                    cases = cases or Count(passed=int(passed))
                    cases.failed += int(not passed)
                count.add(cases)
                if not passed:
                    problems.append(f"{label}: {result['status'].lower()}")
                if cases.skipped:
                    skips.append(f"{label}: {cases.skipped} skipped")
            elif "targetCompleted" in event["id"]:
                if not event.get("completed", {}).get("success") and "aborted" not in event:
                    label = event["id"]["targetCompleted"]["label"]
                    problems.append(f"{label}: not built, or failed")
    return count, problems, skips


def run_step(step):
    print(f"\n=== {step.name}: bazel {' '.join(step.command + step.flags + step.targets)}", flush=True)
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        events = os.path.join(folder, "events.json")
        common = ["--keep_going", "--noshow_progress", "--show_result=0", f"--build_event_json_file={events}"]
        if step.command != ["build"]:
            common.append("--test_summary=none")
        status = subprocess.run(["bazel", *step.command, *common, *step.flags, "--", *step.targets]).returncode
        count, problems, skips = Count(), [], []
        if os.path.exists(events):
            count, problems, skips = read_events(events)
    # 4: bazel found no test to run, as --tsan may where nothing has threads.
    if status not in (0, 4) and not count.failed:
        count.failed += 1
        problems.append(f"bazel ended with status {status}")
    if step.command == ["build"] and status == 0:
        count.passed += 1
    for line in sorted(set(problems)) + skips:
        print(f"  {line}")
    print(f"=== {step.name}: {count} ({time.monotonic() - started:.0f} s)", flush=True)
    return count


def coverage_report():
    """Prints line coverage by folder from the report that bazel left."""
    output = subprocess.run(["bazel", "info", "output_path"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    report = pathlib.Path(output.stdout.strip(), "_coverage", "_coverage_report.dat")
    folders = {}
    folder = None
    for line in report.read_text(encoding="utf-8").splitlines():
        if line.startswith("SF:"):
            folder = folders.setdefault(os.path.dirname(line[3:]), [0, 0])
        elif line.startswith("DA:"):
            folder[0] += line.split(",")[1] != "0"
            folder[1] += 1
    for name, (hit, lines) in sorted(folders.items()):
        print(f"  {100 * hit / max(lines, 1):5.1f} %  {hit:6} of {lines:6} lines  {name}")
    print(f"  for a page a file: genhtml {report} -o coverage")


def fuzz(seconds, targets):
    """Runs each fuzzer for `seconds`, on a copy of its corpus; findings stay in fuzz-findings/."""
    query = 'attr(tags, "\\\\bfuzz\\\\b", tests(%s))' % " + ".join(targets)
    found = subprocess.run(["bazel", "query", query], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    labels = found.stdout.split()
    count = Count()
    if not labels:
        print("tools/test: no fuzzer among the targets")
        return count
    build = ["bazel", "build", "--config=fuzz", "--noshow_progress", "--show_result=0", "--", *labels]
    if subprocess.run(build).returncode != 0:
        return Count(failed=1)
    bin_folder = subprocess.run(
        ["bazel", "info", "--config=fuzz", "bazel-bin"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ).stdout.strip()
    for label in labels:
        package, name = label[2:].split(":")
        findings = pathlib.Path("fuzz-findings", name)
        findings.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory() as work:
            seeds_folder = pathlib.Path(package, "corpus", name)
            shutil.copytree(seeds_folder, work, dirs_exist_ok=True)
            run = subprocess.run(
                [
                    os.path.join(bin_folder, package, name),
                    f"-max_total_time={seconds}",
                    f"-artifact_prefix={findings}/",
                    "-print_final_stats=1",
                    "-verbosity=0",
                    work,
                ],
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
            )
        executions = re.search(r"number_of_executed_units: (\d+)", run.stdout)
        print(f"  {label}: {executions.group(1) if executions else '?'} executions, exit status {run.returncode}", flush=True)
        if run.returncode:
            print(run.stdout[-4000:])
            print(f"  the input lies in {findings}/: once fixed, add it to {seeds_folder}/")
        else:
            shutil.rmtree(findings)
        count.add(Count(passed=int(run.returncode == 0), failed=int(run.returncode != 0)))
    return count


def main():
    arguments = parse_arguments()
    started = time.monotonic()
    total = Count()
    for step in steps_of(arguments):
        total.add(run_step(step))
    if arguments.coverage:
        coverage_report()
    if arguments.fuzz or arguments.long:
        total.add(fuzz(arguments.fuzz or 60, arguments.targets))
    if not total.passed and not total.failed:
        print("tools/test: no test was run; are the target patterns right?", file=sys.stderr)
        total.failed = 1
    print(f"\nin {time.monotonic() - started:.0f} s")
    print(total, flush=True)
    return 1 if total.failed else 0


if __name__ == "__main__":
    sys.exit(main())
