# SPDX-License-Identifier: Apache-2.0
"""The demo: builds, runs, reports. tools/demo calls it; docs/demo.md says how to read its results."""

import signal

# Until there is a handler: Ctrl-C ends this without a word, and not with a traceback.
signal.signal(signal.SIGINT, signal.SIG_DFL)

import datetime
import errno
import importlib.util
import json
import os
import pathlib
import platform
import shutil
import socket
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True

import links
import options as command_line
from emulation import Emulation, RunFailed, Tunnel
from interruption import Interrupted, Interruption, run_to_end
from progress import RunProgress
from table import by_link, table

TREE = pathlib.Path(__file__).resolve().parents[2]
EMULATOR = "//bench:link_emulator"
TUNNEL = "//tunnel:godwit-tunnel"
# What a run takes besides its work.
OVERHEAD_SECONDS = 4


class DemoFailed(Exception):
    """The message is for people, and says what to do."""


def has_congestion_control(name):
    """Whether the kernel has it; for root it loads a module that is there."""
    with socket.socket() as probe:
        try:
            probe.setsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, name.encode())
        except OSError as failure:
            # EPERM: it is there. In the emulator's namespaces we may.
            return failure.errno == errno.EPERM
    return True


def choose_transports(names):
    chosen = []
    for name in names:
        transport = links.TRANSPORTS[name]
        if transport.congestion and not has_congestion_control(transport.congestion):
            print(f"{transport.title} is left out: this kernel has no {transport.congestion} (as root: modprobe tcp_{transport.congestion})")
        else:
            chosen.append(transport)
    if not chosen:
        raise DemoFailed("no transport is left to run")
    return chosen


def build(interruption, targets):
    """The programs of `targets`, of which some may be none."""
    if not targets:
        return []
    if run_to_end(interruption, [TREE / "tools" / "setup"], cwd=TREE) != 0:
        raise DemoFailed("what is needed is not installed; see above")
    print("building; the first time takes minutes", flush=True)
    quiet = ["--show_result=0", "--ui_event_filters=-info"]
    if not sys.stdout.isatty():
        quiet.append("--noshow_progress")
    if run_to_end(interruption, ["bazel", "build", "--config=opt", *quiet, *targets], cwd=TREE) != 0:
        raise DemoFailed("the build failed; see above")
    interruption.check()
    asked = subprocess.run(
        ["bazel", "info", "--config=opt", "bazel-bin"], cwd=TREE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    if asked.returncode != 0:
        raise DemoFailed("bazel info failed")
    folder = pathlib.Path(asked.stdout.strip())
    return [folder / target[2:].replace(":", "/") for target in targets]


def programs(options, transports, interruption):
    """link_emulator, and godwit-tunnel or None."""
    needs_tunnel = any(transport.is_tunnel for transport in transports)
    targets = [] if options.emulator else [EMULATOR]
    if needs_tunnel and not options.tunnel:
        targets.append(TUNNEL)
    built = dict(zip(targets, build(interruption, targets)))
    return options.emulator or built[EMULATOR], options.tunnel or built.get(TUNNEL)


def results_folder(options):
    date = datetime.datetime.now().strftime("%Y%m%d-%H%M%S")
    folder = (options.out or TREE / ".cache" / "demo" / date).absolute()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()
    except OSError as failure:
        raise DemoFailed(f"cannot write to {folder}: {failure.strerror}; choose another --out FOLDER") from failure
    return folder


def machine():
    return {
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "processors": os.cpu_count(),
        "load": os.getloadavg()[0],
    }


def save(folder, date, runs, before):
    content = {"date": date, "machine": before, "runs": runs}
    (folder / "results.json").write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    if runs:
        (folder / "table.txt").write_text(table(runs), encoding="utf-8")


def draw_plots(folder, scratch, runs, interruption):
    # Where there is a home, its caches are not for a demo to fill; where there is none, it complains.
    os.environ.setdefault("MPLCONFIGDIR", scratch)
    if importlib.util.find_spec("matplotlib") is None:
        print("no plots: they need matplotlib (Debian's package python3-matplotlib)")
        return
    import plots

    for name, group in by_link(runs).items():
        interruption.check()
        plots.draw(group, folder / f"{name}.svg")


def run_all(emulation, plan, keep):
    for number, (link, transport) in enumerate(plan, 1):
        progress = RunProgress(number, len(plan), link, transport)
        try:
            run = emulation.run(link, transport, progress.update)
        except BaseException:
            progress.abandon()
            raise
        progress.finish(run)
        keep(run)


def measure(options, interruption, folder, scratch):
    transports = choose_transports(options.transports)
    emulator, tunnel_program = programs(options, transports, interruption)
    plan = [(links.LINKS[name], transport) for name in options.links for transport in transports]
    seconds = len(plan) * (options.seconds + links.WARM_UP_SECONDS + OVERHEAD_SECONDS)
    together = f"{seconds} s" if seconds < 90 else f"{seconds / 60:.0f} min"
    print(f"{len(plan)} run{'s' * (len(plan) > 1)} of {options.seconds} s, about {together} together\n", flush=True)

    date, before, runs = datetime.datetime.now().astimezone().isoformat(timespec="seconds"), machine(), []

    def keep(run):
        runs.append(run)
        save(folder, date, runs, before)

    tunnel = Tunnel(tunnel_program, scratch) if tunnel_program else None
    try:
        run_all(Emulation(options, interruption, emulator, tunnel, folder), plan, keep)
    finally:
        # Also of an interrupted demo, for what it is worth.
        if runs:
            print(f"\n{table(runs)}", flush=True)
    draw_plots(folder, scratch, runs, interruption)


def demonstrate(options, interruption):
    folder = results_folder(options)
    # Keys, sockets: what is nobody else's and goes at the end.
    scratch = tempfile.mkdtemp(prefix="godwit-demo-")
    try:
        measure(options, interruption, folder, scratch)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
        if not any(folder.iterdir()) and options.out is None:
            folder.rmdir()
        else:
            print(f"results: {folder}", flush=True)
    print("how to read them: docs/demo.md")


def main(arguments):
    options = command_line.read_options(arguments)
    interruption = Interruption()
    try:
        demonstrate(options, interruption)
        return 0
    except Interrupted as interrupted:
        print(f"tools/demo: {interrupted}", file=sys.stderr)
        return interrupted.exit_code
    except BrokenPipeError:
        # Whoever read what we print has gone; Python would complain once more at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return 128 + signal.SIGPIPE
    except (DemoFailed, RunFailed) as failure:
        print(f"tools/demo: {failure}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
