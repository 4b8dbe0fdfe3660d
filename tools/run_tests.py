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
# machine makes it slower and not red. The seeds are random runs of the simulator
# (tests/sim/random_sim_test.cc).
TIER_1_SEEDS = 300
TIER_1_SANITIZER_SEEDS = 40
TIER_2_SEEDS = 5_000
TIER_2_OPTIMISED_SEEDS = 50_000
TIER_2_SANITIZER_SEEDS = 2_000
TIER_2_TIMEOUT_SECONDS = 4 * 3600

# Warnings of the compilers are errors; what else bazel has to say at these levels is chatter.
QUIET = ["--ui_event_filters=-info,-warning"]


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
    if arguments.long and (arguments.asan or arguments.ubsan or arguments.tsan or arguments.coverage):
        parser.error("--long runs all configurations; leave out the other one")
    return arguments


class BazelFailed(Exception):
    """A bazel command that does not build or test failed; its output is the message."""


def ask_bazel(*command):
    done = subprocess.run(["bazel", *command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if done.returncode != 0:
        raise BazelFailed(f"bazel {' '.join(command)}\n{done.stderr}")
    return done.stdout.split()


def tests_with_tag(tag, targets):
    """The labels of the tests among `targets`, also of manual ones, that have `tag`."""
    wanted = " + ".join(t for t in targets if not t.startswith("-"))
    unwanted = "".join(f" - {t[1:]}" for t in targets if t.startswith("-"))
    return ask_bazel("query", rf'attr(tags, "\b{tag}\b", tests({wanted}{unwanted}))')


def seeds(count):
    return [f"--test_env=GODWIT_SIM_SEEDS={count}"]


def sanitizer_step(name, config, targets, extra=()):
    flags = [f"--config={config}", "--build_tests_only", *extra]
    return Step(name, ["test"], flags, targets)


def tsan_step(targets):
    return sanitizer_step("tsan", "tsan", targets, ["--test_tag_filters=threads"])


def tier_1_steps():
    """Compiling takes most of the time, so most tests run once: with sanitizers, unless they take
    minutes of simulated traffic, or put together what other tests run with them."""
    whole_programs = ("bench", "demo", "examples", "packaging", "tidy", "tunnel/e2e", "tunnel/face")
    plain = [f"//tests/{folder}/..." for folder in whole_programs]
    scenarios = "//tests/sim/..."
    random_runs = "//tests/sim:random_sim_test"  # With more seeds the first time.
    heavy = set(tests_with_tag("heavy", ["//tests/..."])) - set(tests_with_tag("manual", ["//tests/..."]))
    programs = ["//bench/...", "//examples/...", "//packaging/...", "//tunnel/..."]
    instrumented = ["//tests/...", *(f"-{pattern}" for pattern in [*plain, scenarios]), random_runs]
    return [
        Step("g++", ["test"], seeds(TIER_1_SEEDS), [*programs, *plain, scenarios, *sorted(heavy)]),
        sanitizer_step(
            "asan+ubsan",
            "asan-ubsan",
            instrumented,
            [*seeds(TIER_1_SANITIZER_SEEDS), "--test_tag_filters=-heavy"],
        ),
        tsan_step(["//..."]),
        Step("clang builds", ["build"], ["--config=clang"], ["//...", "-//tests/..."]),
    ]


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
    if targets == ["//..."] and not arguments.long:
        steps = tier_1_steps()
    else:
        steps = [
            Step("g++", ["test"], [*seeds(sim), *patience], targets),
            sanitizer_step("asan+ubsan", "asan-ubsan", targets, [*seeds(sanitizer_sim), *patience]),
            tsan_step(targets),
            Step("clang builds", ["build"], ["--config=clang"], targets),
        ]
    if arguments.long:
        # Without the checks of debug builds, and ten times as fast.
        random_runs = tests_with_tag("seeds", targets)
        if random_runs:
            steps.append(Step("seeds", ["test"], ["--config=opt", *seeds(TIER_2_OPTIMISED_SEEDS), *patience], random_runs))
        # They have the tag `manual` too, so that //... leaves them out.
        long_tests = tests_with_tag("long", targets)
        if long_tests:
            steps.append(Step("long", ["test"], ["--config=opt", *patience], long_tests))
    return steps


def count_cases(path, is_gtest):
    """Counts the test cases of one test.xml; None if it does not say what ran."""
    try:
        root = xml.etree.ElementTree.parse(path).getroot()
    except (OSError, xml.etree.ElementTree.ParseError):
        return None
    # Bazel writes a file of its own for a program that ended before GoogleTest could.
    if is_gtest and root.get("name") != "AllTests":
        return None
    count = Count()
    for case in root.iter("testcase"):
        if case.find("failure") is not None or case.find("error") is not None:
            count.failed += 1
        elif case.get("status") == "notrun" or case.get("result") == "skipped" or case.find("skipped") is not None:
            count.skipped += 1
        else:
            count.passed += 1
    return count


def count_test(result, is_gtest):
    """What one testResult event of bazel stands for, and what is wrong with it."""
    uris = {o["name"]: urllib.parse.urlparse(o["uri"]).path for o in result.get("testActionOutput", [])}
    cases = count_cases(urllib.parse.unquote(uris.get("test.xml", "")), is_gtest)
    if result["status"] != "PASSED":
        # A crash may leave a file that knows of no failure, or none.
        if cases is None or not cases.failed:
            return Count(failed=1), result["status"].lower()
        return cases, result["status"].lower()
    if cases is None:
        return Count(failed=1), "ended well, but without the report of its test cases"
    if not cases.passed and not cases.skipped:
        return Count(failed=1), "has no test case"
    return cases, None


def read_events(path):
    """Reads bazel's build events: what ran, where its results lie, what was not built."""
    count = Count()
    problems, skips = [], []
    gtests, tested, incomplete = set(), set(), set()
    with open(path, encoding="utf-8") as file:
        for line in file:
            event = json.loads(line)
            identity = event["id"]
            if "targetConfigured" in identity:
                configured = event.get("configured", {})
                if configured.get("targetKind") == "cc_test rule" and "fuzz" not in configured.get("tag", []):
                    gtests.add(identity["targetConfigured"]["label"])
            elif "testResult" in identity:
                label = identity["testResult"]["label"]
                tested.add(label)
                cases, problem = count_test(event["testResult"], label in gtests)
                count.add(cases)
                if problem:
                    problems.append(f"{label}: {problem}")
                if cases.skipped:
                    skips.append(f"{label}: {cases.skipped} skipped")
            elif "targetCompleted" in identity and not event.get("completed", {}).get("success"):
                incomplete.add(identity["targetCompleted"]["label"])
    for label in incomplete - tested:
        count.failed += 1
        problems.append(f"{label}: not built")
    return count, problems, skips


def run_step(step):
    print(f"\n=== {step.name}: bazel {' '.join(step.command + step.flags + step.targets)}", flush=True)
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        events = os.path.join(folder, "events.json")
        common = ["--keep_going", "--noshow_progress", "--show_result=0", *QUIET, f"--build_event_json_file={events}"]
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


def coverage_file():
    return pathlib.Path(ask_bazel("info", "output_path")[0], "_coverage", "_coverage_report.dat")


def coverage_report():
    """Prints line coverage by folder from the report that bazel left."""
    report = coverage_file()
    if not report.exists():
        print("tools/test: bazel left no coverage report")
        return
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


def run_fuzzer(program, label, seconds):
    """Runs one fuzzer on a copy of its corpus; what it finds stays in fuzz-findings/."""
    package, name = label[2:].split(":")
    corpus = pathlib.Path(package, "corpus", name)
    findings = pathlib.Path("fuzz-findings", name)
    findings.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as work:
        shutil.copytree(corpus, work, dirs_exist_ok=True)
        flags = [f"-max_total_time={seconds}", f"-artifact_prefix={findings}/", "-print_final_stats=1", "-verbosity=0"]
        run = subprocess.run(
            [program, *flags, work], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
        )
    executions = re.search(r"number_of_executed_units: (\d+)", run.stdout)
    print(f"  {label}: {executions.group(1) if executions else '?'} executions, exit status {run.returncode}", flush=True)
    if run.returncode:
        print(run.stdout[-4000:])
        print(f"  the input lies in {findings}/: once fixed, add it to {corpus}/")
        return False
    shutil.rmtree(findings)
    return True


def fuzz(seconds, targets):
    """Runs each fuzzer among `targets` for `seconds`."""
    labels = tests_with_tag("fuzz", targets)
    print(f"\n=== fuzzing: {len(labels)} fuzzers, {seconds} s each", flush=True)
    if not labels:
        return Count()
    build = ["bazel", "build", "--config=fuzz", "--noshow_progress", "--show_result=0", *QUIET, "--", *labels]
    if subprocess.run(build).returncode != 0:
        return Count(failed=1)
    folder = ask_bazel("info", "--config=fuzz", "bazel-bin")[0]
    count = Count()
    for label in labels:
        passed = run_fuzzer(os.path.join(folder, *label[2:].split(":")), label, seconds)
        count.add(Count(passed=int(passed), failed=int(not passed)))
    return count


def run(arguments):
    total = Count()
    if arguments.coverage:
        coverage_file().unlink(missing_ok=True)
    for step in steps_of(arguments):
        total.add(run_step(step))
    if arguments.coverage:
        coverage_report()
    if arguments.fuzz or arguments.long:
        total.add(fuzz(arguments.fuzz or 60, arguments.targets))
    if not total.passed and not total.failed:
        print("tools/test: no test was run; are the target patterns right?", file=sys.stderr)
        total.failed = 1
    return total


def main():
    arguments = parse_arguments()
    started = time.monotonic()
    try:
        total = run(arguments)
    except BazelFailed as error:
        print(f"tools/test: {error}", file=sys.stderr)
        total = Count(failed=1)
    print(f"\nin {time.monotonic() - started:.0f} s")
    print(total, flush=True)
    return 1 if total.failed else 0


if __name__ == "__main__":
    sys.exit(main())
