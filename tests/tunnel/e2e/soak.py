#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A tunnel under mixed load for a long time, over a link that loses 2 % and a client that moves every
20 s. By hand:

    bazel build --config=opt //tunnel:godwit-tunnel //bench:link_emulator
    tests/tunnel/e2e/soak.py GODWIT_TUNNEL LINK_EMULATOR --minutes 30

Prints memory and traffic of both sides every minute; ends with 1 if a download came to harm, if the
tunnel was ever reconnected, or if memory grew.
"""

import os
import pathlib
import random
import re
import socket
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import tunnel_lab

LINK = "delay 20ms; loss 2%; rate 30mbit; queue 100ms"
MOVE_SECONDS = 20
REPORT_SECONDS = 60
DNS_PORT = 5353
# So many at a time of each kind of download.
LOAD = {"large": 2, "middle": 4, "small": 10}
SIZES = {"large": 20_000_000, "middle": 500_000, "small": 5_000}
# After the first report, which sees the buffers filled.
GROWTH_ALLOWED_KB = 4_000


def resident_kb(process):
    text = pathlib.Path(f"/proc/{process.pid}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+)", text).group(1))


class Soak:
    def __init__(self, lab):
        self.lab = lab
        self.wanted = {name: tunnel_lab.hash_of(lab.new_file(name, size)) for name, size in SIZES.items()}
        lab.start_http(lab.server)
        folder = os.path.dirname(os.path.abspath(__file__))
        lab.server.start(sys.executable, f"{folder}/dns_server.py", DNS_PORT).wait_for("ready")
        self.server = lab.start_server("--allow-target", "127.0.0.1:8080", "--allow-target",
                                       f"127.0.0.1:{DNS_PORT}")
        self.local, self.socks = lab.client.free_ports(2)
        (self.dns,) = lab.client.free_ports(1, socket.SOCK_DGRAM)
        self.client = lab.start_client("-L", f"{self.local}:127.0.0.1:8080", "-D", str(self.socks),
                                       "-L", f"udp:{self.dns}:127.0.0.1:{DNS_PORT}")
        self.running = []
        self.done = dict.fromkeys(SIZES, 0)
        self.failures = []
        self.questions = self.answers = 0
        self.dig = None

    def start_download(self, name, slot):
        got = self.lab.folder / f"got-{name}-{slot}"
        got.unlink(missing_ok=True)
        way = [f"http://127.0.0.1:{self.local}/{name}"]
        if random.random() < 0.5:
            way = ["--proxy", f"socks5h://127.0.0.1:{self.socks}", f"http://127.0.0.1:8080/{name}"]
        curl = self.lab.client.start("curl", "--silent", "--show-error", "--fail", "--output", got, *way)
        self.running.append((name, slot, got, curl))

    def collect(self):
        for entry in list(self.running):
            name, slot, got, curl = entry
            code = curl.process.poll()
            if code is None:
                continue
            self.running.remove(entry)
            self.lab.processes.remove(curl)
            if code != 0 or tunnel_lab.hash_of(got) != self.wanted[name]:
                self.failures.append(f"{name}: {code}: {curl.said()}")
                print(self.failures[-1], flush=True)
            curl.log.unlink()
            self.done[name] += 1
            self.start_download(name, slot)

    def ask(self):
        """A question at a time; one may be lost."""
        if self.dig is not None:
            if self.dig.process.poll() is None:
                return
            self.answers += self.dig.said().count("x" * 100) > 0
            self.lab.processes.remove(self.dig)
            self.dig.log.unlink()
        self.questions += 1
        self.dig = self.lab.client.start("dig", "@127.0.0.1", "-p", self.dns, "+short", "+notcp",
                                         "+ignore", "+bufsize=8192", "+tries=3", "+timeout=2", "TXT",
                                         f"{random.choice((100, 4000))}.test")

    def report(self, seconds):
        memory = resident_kb(self.client), resident_kb(self.server)
        peer = self.lab.status("server")["peers"][0]
        print(f"{seconds:6.0f} s: client {memory[0]} kB, server {memory[1]} kB; done {self.done}; "
              f"answers {self.answers} of {self.questions}; moved {peer['path_changes']} times, "
              f"loss {peer['loss_percent']:.1f} %; failures {len(self.failures)}", flush=True)
        return memory

    def run(self, minutes):
        for name, count in LOAD.items():
            for slot in range(count):
                self.start_download(name, slot)
        began = time.monotonic()
        next_move, next_report = began + MOVE_SECONDS, began + REPORT_SECONDS
        reports = []
        while (now := time.monotonic()) < began + 60 * minutes:
            self.collect()
            self.ask()
            if now >= next_move:
                next_move += MOVE_SECONDS
                self.lab.move_client()
            if now >= next_report:
                next_report += REPORT_SECONDS
                reports.append(self.report(now - began))
            time.sleep(0.05)
        return reports


def main():
    if len(sys.argv) != 5 or sys.argv[3] != "--minutes":
        sys.exit(__doc__)
    tunnel_lab.enter_own_network()
    lab = tunnel_lab.TunnelLab(LINK)
    try:
        soak = Soak(lab)
        reports = soak.run(float(sys.argv[4]))
        problems = soak.failures[:10]
        if soak.client.said().count("connected to") != 1:
            problems.append("the tunnel was reconnected")
        for side in range(2) if reports else ():
            if reports[-1][side] - reports[0][side] > GROWTH_ALLOWED_KB:
                problems.append(f"memory grew: {[report[side] for report in reports]}")
        print("\n".join(problems) or "no problem")
    finally:
        lab.close()
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()
