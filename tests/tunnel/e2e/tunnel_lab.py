# SPDX-License-Identifier: Apache-2.0
"""A godwit-tunnel between two network namespaces, for tests with real programs as its users.

    client 10.0.1.2 --- link_emulator --- 10.0.2.2 server

Namespaces and processes are those of one TunnelLab; nothing of them is seen from outside, and they
are gone with it, or with this process, however that ends. Needs root, or unprivileged user
namespaces. A test program is called with the paths of godwit-tunnel and of link_emulator.

One thread: the processes started here end with the thread that started them.
"""

import contextlib
import ctypes
import hashlib
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest

# Bazel gives tests a PATH without them.
os.environ["PATH"] = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin:/usr/bin:/bin"

# Bounds against hanging, not measures.
CASE_SECONDS = 240
READY_SECONDS = 60

TUNNEL_PORT = 4433
HTTP_PORT = 8080
# In the lab's folder, where all programs run: the path of a socket must be short.
SOCKETS = {"client": "client.sock", "server": "server.sock"}

CLONE_NEWUSER = 0x10000000
CLONE_NEWNET = 0x40000000
PR_SET_PDEATHSIG = 1

LIBC = ctypes.CDLL(None, use_errno=True)


def call(function, *arguments):
    if getattr(LIBC, function)(*arguments) != 0:
        error = ctypes.get_errno()
        raise OSError(error, f"{function}: {os.strerror(error)}")


def enter_user_namespace():
    """Where this process may do with networks what root may."""
    user, group = os.geteuid(), os.getegid()
    call("unshare", CLONE_NEWUSER)
    pathlib.Path("/proc/self/setgroups").write_text("deny")
    pathlib.Path("/proc/self/uid_map").write_text(f"0 {user} 1")
    pathlib.Path("/proc/self/gid_map").write_text(f"0 {group} 1")


def enter_own_network():
    try:
        call("unshare", CLONE_NEWNET)
    except PermissionError:
        enter_user_namespace()
        call("unshare", CLONE_NEWNET)


def why_not(*programs):
    """Why tests with these programs cannot run here, or None."""
    for program in ("ip", *programs):
        if shutil.which(program) is None:
            return f"{program} is missing: tools/setup installs it"
    probe = subprocess.run([sys.executable, "-B", __file__], capture_output=True, text=True, check=False)
    if probe.returncode != 0:
        return f"no network namespaces here, which need root or user namespaces: {probe.stderr}"
    return None


def needs(*programs):
    """Skips a class of tests, with the reason, where it cannot run."""
    reason = why_not(*programs)
    return unittest.skipIf(reason, reason)


def hash_of(path):
    return hashlib.sha256(pathlib.Path(path).read_bytes()).hexdigest()


class Process:
    """A running program, with what it has said so far."""

    def __init__(self, place, command, log):
        self.command = [str(part) for part in command]
        self.log = log
        with open(log, "wb") as output:
            self.process = subprocess.Popen(self.command, stdin=subprocess.DEVNULL, stdout=output,
                                            stderr=subprocess.STDOUT, cwd=log.parent,
                                            preexec_fn=place.enter_in_child)

    @property
    def pid(self):
        return self.process.pid

    def said(self):
        return self.log.read_text(errors="replace")

    def wait_for(self, text, times=1):
        """Until it has said `text` so often."""
        deadline = time.monotonic() + READY_SECONDS
        while self.said().count(text) < times:
            if self.process.poll() is not None:
                raise AssertionError(f"{self.command} ended: {self.said()}")
            if time.monotonic() > deadline:
                raise AssertionError(f"{self.command} did not say {text!r}: {self.said()}")
            time.sleep(0.02)

    def wait(self, seconds=CASE_SECONDS):
        return self.process.wait(timeout=seconds)

    def end(self, by=signal.SIGTERM):
        if self.process.poll() is None:
            self.process.send_signal(by)
        try:
            return self.process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()


class Place:
    """One end of the lab: runs programs in its network namespace."""

    def __init__(self, lab, pid):
        self.lab = lab
        self.namespace = os.open(f"/proc/{pid}/ns/net", os.O_RDONLY | os.O_CLOEXEC)

    def close(self):
        os.close(self.namespace)

    def enter_in_child(self):
        call("prctl", PR_SET_PDEATHSIG, signal.SIGKILL)
        call("setns", self.namespace, CLONE_NEWNET)

    @contextlib.contextmanager
    def entered(self):
        """Sockets that are made inside are this place's."""
        home = os.open("/proc/self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        call("setns", self.namespace, CLONE_NEWNET)
        try:
            yield
        finally:
            call("setns", home, CLONE_NEWNET)
            os.close(home)

    def start(self, *command):
        return self.lab.add(Process(self, command, self.lab.new_log(command[0])))

    def run(self, *command, seconds=CASE_SECONDS):
        return subprocess.run([str(part) for part in command], capture_output=True, text=True,
                              errors="replace", timeout=seconds, check=False,
                              cwd=self.lab.folder, preexec_fn=self.enter_in_child)

    def check(self, *command, seconds=CASE_SECONDS):
        """What it says; it must end well."""
        done = self.run(*command, seconds=seconds)
        if done.returncode != 0:
            raise AssertionError(f"{command}: {done.returncode}: {done.stdout}{done.stderr}")
        return done.stdout

    def connect(self, port, seconds=CASE_SECONDS):
        with self.entered():
            return socket.create_connection(("127.0.0.1", port), timeout=seconds)

    def listen(self, port):
        with self.entered():
            return socket.create_server(("127.0.0.1", port))

    def free_ports(self, count, kind=socket.SOCK_STREAM):
        with self.entered(), contextlib.ExitStack() as stack:
            sockets = [stack.enter_context(socket.socket(socket.AF_INET, kind)) for _ in range(count)]
            for each in sockets:
                each.bind(("127.0.0.1", 0))
            return [each.getsockname()[1] for each in sockets]

    def wait_for_port(self, port, process):
        deadline = time.monotonic() + READY_SECONDS
        while True:
            try:
                self.connect(port).close()
                return
            except OSError:
                if process.process.poll() is not None or time.monotonic() > deadline:
                    raise AssertionError(f"{process.command}: {process.said()}") from None
                time.sleep(0.02)


class TunnelLab:
    """`link` are settings of link_emulator, `outages` among them: docs/link-emulator.md."""

    def __init__(self, link="delay 5ms"):
        self.program, emulator = (os.path.abspath(path) for path in sys.argv[1:3])
        self.folder = pathlib.Path(tempfile.mkdtemp(dir=os.environ.get("TEST_TMPDIR")))
        self.processes = []
        self.places = []
        self.logs = 0
        self.client_host = 2
        try:
            self.emulator = self.start_emulator(emulator, link)
            self.client, self.server = (self.wait_for_place(name) for name in ("client", "server"))
            self.client_key, self.client_fingerprint = self.new_key("client")
            self.server_key, self.server_fingerprint = self.new_key("server")
        except BaseException:
            self.close()
            raise

    def start_emulator(self, emulator, link):
        holders = [f"echo $$ > {self.folder}/{name}.new; mv {self.folder}/{name}.new "
                   f"{self.folder}/{name}.pid; exec sleep 100000" for name in ("client", "server")]
        command = [emulator, "--link", link, "--client", holders[0], "--server", holders[1],
                   "--client-after", "0ms", "--counters", self.folder / "counters.json"]
        return self.add(Process(Nowhere(), command, self.new_log("link_emulator")))

    def wait_for_place(self, name):
        file = self.folder / f"{name}.pid"
        deadline = time.monotonic() + READY_SECONDS
        while not file.exists():
            if self.emulator.process.poll() is not None or time.monotonic() > deadline:
                raise AssertionError(f"link_emulator: {self.emulator.said()}")
            time.sleep(0.01)
        # The link's script counts from here.
        self.began_at = time.monotonic()
        place = Place(self, int(file.read_text()))
        self.places.append(place)
        return place

    def close(self):
        for process in reversed(self.processes):
            process.end()
        for place in self.places:
            place.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def end_link(self):
        """Ends the emulator; what it has counted."""
        self.emulator.end()
        return json.loads((self.folder / "counters.json").read_text())

    def add(self, process):
        self.processes.append(process)
        return process

    def new_log(self, name):
        self.logs += 1
        return self.folder / f"{pathlib.Path(name).name}.{self.logs}.log"

    def describe(self):
        """All that was said, for people who look at a failure."""
        return "\n".join(f"--- {p.command}\n{p.said()[-4000:]}" for p in self.processes)

    # ---- The tunnel ----

    def new_key(self, name):
        file = self.folder / f"{name}.pem"
        made = subprocess.run([self.program, "keygen", "--key", file], capture_output=True, text=True,
                              check=True)
        return file, re.search(r"fingerprint (\S+)", made.stdout).group(1)

    def start_server(self, *flags, through=()):
        """`through`: what runs it."""
        server = self.server.start(
            *through, self.program, "server", "--listen", f"0.0.0.0:{TUNNEL_PORT}", "--key", self.server_key,
            "--allow-client", self.client_fingerprint, "--status-socket", SOCKETS["server"], *flags)
        server.wait_for("listening on")
        return server

    def client_command(self, *flags):
        return [self.program, "client", f"10.0.2.2:{TUNNEL_PORT}", "--key", self.client_key,
                "--server-key", self.server_fingerprint, "--status-socket", SOCKETS["client"],
                *flags]

    def start_client(self, *flags):
        client = self.client.start(*self.client_command(*flags))
        client.wait_for("connected to")
        return client

    def status(self, side="client"):
        done = subprocess.run(
            [self.program, "status", "--json", "--status-socket", SOCKETS[side]],
            capture_output=True, text=True, check=True, cwd=self.folder)
        return json.loads(done.stdout)

    def wait_for_status(self, condition, side="client", seconds=READY_SECONDS):
        deadline = time.monotonic() + seconds
        while True:
            status = self.status(side)
            if condition(status):
                return status
            if time.monotonic() > deadline:
                raise AssertionError(f"the status did not come to be: {status}")
            time.sleep(0.05)

    def move_client(self):
        """The client's machine loses its addresses and gets others."""
        old, self.client_host = self.client_host, self.client_host + 1
        self.client.check("bash", "-c", f"""ip -batch - <<END
addr del 10.0.1.{old}/24 dev link0
addr add 10.0.1.{self.client_host}/24 dev link0
route replace default dev link0
END""")

    # ---- Those who use it ----

    def start_http(self, place, port=HTTP_PORT):
        """Serves the folder www on the loopback of `place`."""
        www = self.folder / "www"
        www.mkdir(exist_ok=True)
        if shutil.which("nginx") is None:
            server = place.start(sys.executable, "-m", "http.server", "--bind", "127.0.0.1",
                                 "--directory", www, port)
        else:
            server = place.start("nginx", "-p", self.folder, "-e", "stderr", "-c",
                                 self.write_nginx_configuration(www, port))
        place.wait_for_port(port, server)
        return server

    def write_nginx_configuration(self, www, port):
        names = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        temporary = "".join(f"{name}_temp_path {self.folder}/{name}_{port};" for name in names)
        file = self.folder / f"nginx.{port}.conf"
        file.write_text(f"""
            daemon off; master_process off; user root root; pid {self.folder}/nginx.{port}.pid; error_log stderr warn;
            events {{ worker_connections 4096; }}
            http {{ {temporary} access_log off; sendfile on;
                client_header_timeout 1h; send_timeout 1h;
                server {{ listen 127.0.0.1:{port} backlog=1024; root {www}; }} }}""")
        return file

    def new_file(self, name, size):
        www = self.folder / "www"
        www.mkdir(exist_ok=True)
        (www / name).write_bytes(os.urandom(size))
        return www / name


class Nowhere:
    """Not in the lab."""

    @staticmethod
    def enter_in_child():
        call("prctl", PR_SET_PDEATHSIG, signal.SIGKILL)


class LabCase(unittest.TestCase):
    """Tests around a lab each, with a bound on their time."""

    LINK = "delay 5ms"
    SECONDS = CASE_SECONDS

    def setUp(self):
        signal.signal(signal.SIGALRM, self.on_alarm)
        signal.alarm(self.SECONDS)
        self.lab = TunnelLab(self.LINK)

    def on_alarm(self, *_):
        raise AssertionError(f"not done within {self.SECONDS} s")

    def run(self, result=None):
        self.lab = None
        problems_before = len(result.failures) + len(result.errors)
        try:
            return super().run(result)
        finally:
            signal.alarm(0)
            if self.lab is not None:
                if len(result.failures) + len(result.errors) > problems_before:
                    print(self.lab.describe(), file=sys.stderr)
                self.lab.close()

    def assert_downloads(self, place, url, file, *flags):
        """curl gets `file` from `url`, whole."""
        got = self.lab.folder / "got"
        place.check("curl", "--silent", "--show-error", "--fail", "--output", got, *flags, url,
                    seconds=self.SECONDS)
        self.assertEqual(hash_of(got), hash_of(file))


def main():
    enter_own_network()
    unittest.main(argv=sys.argv[:1], verbosity=2)


if __name__ == "__main__":
    enter_own_network()
