# SPDX-License-Identifier: Apache-2.0
"""One run: the applications on one link, over one transport, in link_emulator's namespaces."""

import json
import os
import pathlib
import select
import shlex
import signal
import subprocess
import sys
import time

import applications
import links
from interruption import POLL_SECONDS, dying_with_us

DOWNLOAD_PORT = 7001
REQUEST_PORT = 7002
TUNNEL_PORT = 4433
# Beyond all that a run may take by itself: then something hangs.
SPARE_SECONDS = 60
LOG_TAIL_LINES = 15


class RunFailed(Exception):
    """There are no figures; the message is for people."""


class Tunnel:
    """godwit-tunnel and a key for each end, in `folder`."""

    def __init__(self, program, folder):
        self._program = program
        self._folder = pathlib.Path(folder)
        self._fingerprints = {side: self._make_key(side) for side in ("client", "server")}

    def _make_key(self, side):
        command = [self._program, "keygen", "--key", self._folder / f"{side}.pem"]
        made = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=60)
        words = [word.rstrip(".,") for word in made.stdout.split() if word.startswith("SHA256:")]
        if made.returncode != 0 or not words:
            said = made.stderr.strip() or made.stdout.strip() or "it said nothing"
            raise RunFailed(f"godwit-tunnel keygen ended with exit code {made.returncode}: {said}")
        return words[0]

    def _command(self, side, *rest):
        files = ["--key", str(self._folder / f"{side}.pem"), "--status-socket", str(self._folder / f"{side}.sock")]
        return [str(self._program), side, *rest, *files]

    def server_command(self):
        targets = [word for port in (DOWNLOAD_PORT, REQUEST_PORT) for word in ("--allow-target", f"127.0.0.1:{port}")]
        listen = f"$SERVER_IPV4:{TUNNEL_PORT}"
        return self._command("server", "--listen", listen, "--allow-client", self._fingerprints["client"], *targets)

    def client_command(self):
        forwards = [word for port in (DOWNLOAD_PORT, REQUEST_PORT) for word in ("-L", f"{port}:127.0.0.1:{port}")]
        server = f"$SERVER_IPV4:{TUNNEL_PORT}"
        return self._command("client", server, "--server-key", self._fingerprints["server"], *forwards)


def _application(side, settings):
    # -I: whatever Python finds in the user's environment stays out.
    command = [sys.executable, "-IB", applications.__file__, side, json.dumps(settings)]
    return "exec " + shlex.join(command)


def _settings(transport, seconds, tunnel_command):
    host = "127.0.0.1" if transport.is_tunnel else "$SERVER_IPV4"
    return {
        "congestion": transport.congestion,
        "host": host,
        "listen": host,
        "download_port": DOWNLOAD_PORT,
        "request_port": REQUEST_PORT,
        "tunnel": tunnel_command,
        "seconds": seconds,
        "warm_up": links.WARM_UP_SECONDS,
    }


class Record:
    """Collects what the applications tell, as the raw figures of a run."""

    def __init__(self, link, transport, options):
        self.run = {
            "link": link.name,
            "transport": transport.name,
            "script": link.script(options.seconds),
            "seed": options.seed,
            "seconds": options.seconds,
            "bin_seconds": applications.BIN_SECONDS,
            "bytes": [],  # Of the download that came in each bin.
            "requests": [],
            "download": None,
            "notes": [],
        }
        self.has_begun = False
        self.has_ended = False
        self._begin_of_work = links.WARM_UP_SECONDS
        self._marks = link.marks(options.seconds)

    def add(self, event):
        kind = event.pop("event")
        if kind == "bytes":
            bins = self.run["bytes"]
            bins.extend([0] * (event["bin"] + 1 - len(bins)))
            bins[event["bin"]] += event["count"]
        elif kind == "request":
            self.run["requests"].append(event)
        elif kind == "begin":
            self.has_begun = True
            self._begin_of_work = event["at"]
        elif kind == "download":
            self.run["download"] = event
        elif kind == "tunnel ended":
            self.run["notes"].append(f"the tunnel's {event['side']} ended with exit code {event['code']}")
        elif kind == "end":
            self.has_ended = True

    def finish(self, counters):
        # The script's clock is not the work's: that began later if the tunnel took long to come up.
        late = self._begin_of_work - links.WARM_UP_SECONDS
        self.run["marks"] = [
            {"what": mark.what, "at": round(mark.at - late, 3), "lasts": mark.lasts} for mark in self._marks
        ]
        self.run["requests"].sort(key=lambda request: request["at"])
        self.run["emulator"] = counters
        return self.run


class Emulation:
    """What all runs have in common."""

    def __init__(self, options, interruption, emulator, tunnel, folder):
        self._options = options
        self._interruption = interruption
        self._emulator = emulator
        self._tunnel = tunnel  # None if no transport needs it.
        self._folder = pathlib.Path(folder)
        self._logs = self._folder / "logs"
        self._logs.mkdir(exist_ok=True)

    def run(self, link, transport, on_change):
        """The raw figures. `on_change(record)` is called now and then."""
        record = Record(link, transport, self._options)
        log_path = self._logs / f"{link.name}-{transport.name}.txt"
        counters = self._logs / f"{link.name}-{transport.name}.json"
        with open(log_path, "wb") as log:
            process = subprocess.Popen(
                self._command(link, transport, counters),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                # Not the terminal's Ctrl-C: one who ends the emulator is enough.
                start_new_session=True,
            )
            with process:
                try:
                    self._follow(process, record, on_change)
                finally:
                    _end(process)
        if process.returncode != 0 or not record.has_ended or record.run["download"] is None:
            raise RunFailed(f"the run failed, with exit code {process.returncode}:\n{_tail(log_path)}")
        return record.finish(json.loads(counters.read_text(encoding="utf-8")))

    def _command(self, link, transport, counters):
        server = client = None
        if transport.is_tunnel:
            server, client = self._tunnel.server_command(), self._tunnel.client_command()
        seconds = self._options.seconds
        command = [
            str(self._emulator),
            f"--link={link.script(seconds)}",
            f"--seed={self._options.seed}",
            f"--server={_application('server', _settings(transport, seconds, server))}",
            f"--client={_application('client', _settings(transport, seconds, client))}",
            f"--counters={counters}",
        ]
        return dying_with_us(command)

    def _follow(self, process, record, on_change):
        deadline = time.monotonic() + self._options.seconds + SPARE_SECONDS
        rest = b""
        while True:
            self._interruption.check()
            if time.monotonic() > deadline:
                raise RunFailed("the run does not end; it was stopped")
            if select.select([process.stdout], [], [], POLL_SECONDS)[0]:
                data = os.read(process.stdout.fileno(), 1 << 16)
                if not data:
                    process.wait()
                    return
                *lines, rest = (rest + data).split(b"\n")
                for line in lines:
                    record.add(json.loads(line))
            on_change(record)


def _end(process):
    """Ends the emulator, if it runs, with all that it started: the second signal is for at once."""
    while process.poll() is None:
        process.send_signal(signal.SIGTERM)
        time.sleep(0.05)


def _tail(path):
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    return "\n".join(f"    {line}" for line in lines[-LOG_TAIL_LINES:])
