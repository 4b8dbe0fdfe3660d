#!/usr/bin/python3
"""godwit-tunnel as people start it: what it prints, what it returns, what comes through.

Runs in a network namespace of its own, so that ports are free and there is no route to anywhere.
"""

import http.server
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import urllib.request

PROGRAM, MAN_PAGE, COMPLETION = (os.path.abspath(path) for path in sys.argv[1:4])
INSIDE = "GODWIT_TUNNEL_TEST_INSIDE"
# Bazel gives tests a PATH without them.
os.environ["PATH"] = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
# A bound against hanging, not a measure.
PATIENCE_SECONDS = 60
# The same for what must not wait for the end of a drain, which takes 30 s.
AT_ONCE_SECONDS = 20
WRONG_USE = 2
LISTEN = "127.0.0.1:4433"
TARGET_PORT = 8000
TARGET = f"127.0.0.1:{TARGET_PORT}"
LOCAL_PORT = 8080
FORWARD = f"{LOCAL_PORT}:{TARGET}"
NOBODY = "SHA256:" + 64 * "0"


def isolation():
    """The command that begins a network namespace here, or None."""
    for command in (["unshare", "-Urn"], ["unshare", "-n"]):
        if subprocess.run([*command, "true"], capture_output=True, check=False).returncode == 0:
            return command
    return None


def wait_until(condition, what):
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"waited in vain: {what}")
        time.sleep(0.02)


class Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = b"through the tunnel"
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Running:
    """A tunnel that runs; its stderr is kept."""

    def __init__(self, environment, log, *arguments):
        self.log = log
        with open(log, "wb") as stderr:
            self.process = subprocess.Popen([PROGRAM, *arguments], env=environment, stderr=stderr,
                                            stdout=subprocess.DEVNULL)

    def says(self, text):
        return text in self.log.read_text()

    def wait_for(self, text):
        wait_until(lambda: self.says(text) or self.process.poll() is not None, text)
        if not self.says(text):
            raise AssertionError(f"not said: {text}\n{self.log.read_text()}")

    def end(self, number=signal.SIGTERM, seconds=PATIENCE_SECONDS):
        self.process.send_signal(number)
        return self.process.wait(seconds)


class ProgramTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.origin = http.server.ThreadingHTTPServer(("127.0.0.1", TARGET_PORT), Page)
        threading.Thread(target=cls.origin.serve_forever, daemon=True).start()

    @classmethod
    def tearDownClass(cls):
        cls.origin.shutdown()
        cls.origin.server_close()

    def setUp(self):
        # Not Bazel's folder: names of Unix sockets are short.
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="tunnel", dir="/tmp"))
        self.addCleanup(shutil.rmtree, self.folder)
        self.environment = {**os.environ, "HOME": str(self.folder),
                            "XDG_CONFIG_HOME": str(self.folder / "config"),
                            "XDG_RUNTIME_DIR": str(self.folder)}
        for name in ("RUNTIME_DIRECTORY", "JOURNAL_STREAM"):
            self.environment.pop(name, None)
        self.server_key = self.folder / "server.pem"
        self.client_key = self.folder / "client.pem"

    def run_program(self, *arguments):
        return subprocess.run([PROGRAM, *map(str, arguments)], env=self.environment, text=True,
                              capture_output=True, timeout=PATIENCE_SECONDS, check=False)

    def start(self, name, *arguments):
        running = Running(self.environment, self.folder / f"{name}.log", *map(str, arguments))

        def clean_up():
            running.process.kill()
            running.process.wait()

        self.addCleanup(clean_up)
        return running

    def keygen(self, path):
        made = self.run_program("keygen", "--key", path)
        self.assertEqual((made.returncode, made.stderr), (0, ""))
        return next(line.split()[1] for line in made.stdout.splitlines()
                    if line.startswith("fingerprint "))

    def start_server(self, *more):
        server = self.start("server", "server", "--listen", LISTEN, "--key", self.server_key,
                            "--allow-client", self.client, *more)
        server.wait_for("listening on")
        return server

    def client_arguments(self, *more):
        return ("client", LISTEN, "--key", self.client_key, "--server-key", self.server, *more)

    def start_client(self, *more):
        client = self.start("client", *self.client_arguments(*more))
        client.wait_for("connected to")
        return client

    def make_keys(self):
        self.server = self.keygen(self.server_key)
        self.client = self.keygen(self.client_key)

    def get(self, port=LOCAL_PORT):
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=PATIENCE_SECONDS) as page:
            return page.read().decode()

    def assert_wrong_use(self, arguments, *said):
        outcome = self.run_program(*arguments)
        self.assertEqual(outcome.returncode, WRONG_USE, outcome.stderr)
        last = outcome.stderr.splitlines()[-1]
        self.assertTrue(last.startswith("godwit-tunnel: "), last)
        for text in said:
            self.assertIn(text, last)
        self.assertEqual(outcome.stdout, "")
        return outcome

    def test_a_forward_carries_requests_and_is_seen_by_status(self):
        self.make_keys()
        server = self.start_server("--allow-target", TARGET, "--metrics", "127.0.0.1:9433")
        client = self.start_client("-L", FORWARD)

        self.assertEqual(self.get(), "through the tunnel")

        status = self.run_program("status")
        self.assertEqual(status.returncode, 0)
        self.assertIn(f"client {LISTEN}", status.stdout)
        self.assertIn(f"server {LISTEN}", status.stdout)
        self.assertIn(self.client, status.stdout)
        tunnels = json.loads(self.run_program("status", "--json").stdout)
        self.assertEqual({tunnel["role"] for tunnel in tunnels}, {"client", "server"})
        self.assertEqual([tunnel["flows_opened"] for tunnel in tunnels], [1, 1])
        with urllib.request.urlopen("http://127.0.0.1:9433/metrics") as metrics:
            self.assertIn('godwit_tunnel_flows_opened_total{role="server"} 1\n',
                          metrics.read().decode())
        self.assertEqual((client.end(), server.end()), (0, 0))
        self.assertEqual(list(self.folder.glob("godwit-tunnel/*")), [])

    def test_ping_measures_round_trips(self):
        self.make_keys()
        self.start_server()

        ping = self.run_program("ping", LISTEN, "--key", self.client_key, "--server-key",
                                self.server, "--count", 2, "--interval", "500ms")

        self.assertEqual((ping.returncode, ping.stderr), (0, ""))
        self.assertIn(f"connected to {LISTEN}", ping.stdout)
        self.assertIn("2: ", ping.stdout)
        self.assertIn(" of 2 answered", ping.stdout)

    def test_sighup_reads_the_rules_again(self):
        self.make_keys()
        config = self.folder / "server.toml"
        config.write_text(f'listen = "{LISTEN}"\nkey = "{self.server_key}"\n'
                          f'allow-client = ["{self.client}"]\n')
        server = self.start("server", "server", "--config", config)
        server.wait_for("clients can reach nothing")
        client = self.start_client("-L", FORWARD)
        with self.assertRaises(OSError):
            self.get()
        client.wait_for(f"--allow-target {TARGET}")

        with config.open("a") as file:
            file.write(f'allow-target = "{TARGET}"\n')
        server.process.send_signal(signal.SIGHUP)
        server.wait_for("were read again")

        self.assertEqual(self.get(), "through the tunnel")
        config.write_text("listen = [")
        server.process.send_signal(signal.SIGHUP)
        server.wait_for("rules and keys stay as they were")
        self.assertEqual(self.get(), "through the tunnel")

    def test_sighup_reads_the_servers_key_again(self):
        self.make_keys()
        server = self.start_server("--allow-target", TARGET)
        old_client = self.start_client("-L", FORWARD)
        old_key = self.server_key.read_text()
        with socket.create_connection(("127.0.0.1", LOCAL_PORT)) as connection:
            wait_until(lambda: self.server_figure("tcp_flows") == 1, "the flow")

            made = self.run_program("keygen", "--key", self.server_key, "--force")
            self.assertEqual(made.returncode, 0)
            fingerprint = re.search(r"fingerprint (\S+)", made.stdout).group(1)
            server.process.send_signal(signal.SIGHUP)
            server.wait_for(f"our key is another one for new connections; clients say --server-key "
                            f"{fingerprint}")

            # What was open lives on.
            connection.sendall(b"GET / HTTP/1.0\r\n\r\n")
            self.assertIn(b"through the tunnel", connection.makefile("rb").read())
        self.assertEqual(self.get(), "through the tunnel")
        self.assertIn("connected to", old_client.log.read_text())
        self.assertNotIn("trying again", old_client.log.read_text())
        self.assert_wrong_use(self.client_arguments("-L", "8081:localhost:80"), fingerprint,
                              self.server)
        self.server = fingerprint
        new_client = self.start("new", *self.client_arguments("-L", f"8081:{TARGET}"))
        new_client.wait_for("connected to")
        self.assertEqual(self.get(8081), "through the tunnel")

        # What is broken is not taken: no key, and one that does not fit its certificate.
        begin = "-----BEGIN CERTIFICATE"
        new_key = self.server_key.read_text()
        mixed = old_key[:old_key.index(begin)] + new_key[new_key.index(begin):]
        for broken in ("nonsense", mixed):
            complaints = server.log.read_text().count("our key stays as it was: ")
            self.server_key.write_text(broken)
            server.process.send_signal(signal.SIGHUP)
            wait_until(lambda: server.log.read_text().count("our key stays as it was: ")
                       > complaints, "a complaint")
        self.assertTrue(server.says(f"\"{self.server_key}\" has no private key"))
        last_client = self.start("last", *self.client_arguments("-L", f"8082:{TARGET}"))
        last_client.wait_for("connected to")

    def server_figure(self, name):
        tunnels = json.loads(self.run_program("status", "--json").stdout)
        (server,) = [tunnel for tunnel in tunnels if tunnel["role"] == "server"]
        return sum(peer[name] for peer in server["peers"])

    def test_keylog_has_the_secrets_of_both_sides(self):
        self.make_keys()
        logs = {side: self.folder / f"{side}.keys" for side in ("server", "client")}
        self.start_server("--allow-target", TARGET, "--keylog", logs["server"])
        self.start_client("-L", FORWARD, "--keylog", logs["client"])

        self.assertEqual(self.get(), "through the tunnel")

        lines = {side: log.read_text().splitlines() for side, log in logs.items()}
        self.assertEqual(sorted(lines["client"]), sorted(lines["server"]))
        for line in lines["client"]:
            self.assertRegex(line, r"^[A-Z0-9_]+ [0-9a-f]{64} [0-9a-f]{64,96}$")
        labels = {line.split()[0] for line in lines["client"]}
        self.assertLessEqual({"CLIENT_HANDSHAKE_TRAFFIC_SECRET", "SERVER_HANDSHAKE_TRAFFIC_SECRET",
                              "CLIENT_TRAFFIC_SECRET_0", "SERVER_TRAFFIC_SECRET_0"}, labels)
        for log in logs.values():
            self.assertEqual(stat.S_IMODE(log.stat().st_mode), 0o600)

    def test_a_key_log_that_others_can_read_is_refused(self):
        self.make_keys()
        log = self.folder / "keys.log"
        log.touch(mode=0o644)
        log.chmod(0o644)
        for arguments in (self.client_arguments("-L", FORWARD),
                          ("server", "--listen", LISTEN, "--key", self.server_key, "--allow-client",
                           NOBODY)):
            self.assert_wrong_use((*arguments, "--keylog", log), f"chmod 600 {log}")
        self.assertEqual(log.read_text(), "")

    def test_sigterm_waits_for_open_connections_and_a_second_does_not(self):
        self.make_keys()
        self.start_server("--allow-target", TARGET)
        client = self.start_client("-L", FORWARD)
        with socket.create_connection(("127.0.0.1", LOCAL_PORT)) as connection:
            connection.sendall(b"GET / HTTP/1.1\r\n\r\n")
            self.assertIn(b"200", connection.recv(100))

            client.process.send_signal(signal.SIGTERM)
            client.wait_for("connections that are open have 30 s")
            self.assertIsNone(client.process.poll())
            self.assertFalse(client.says("ending at once"))
            self.assertEqual(client.end(seconds=AT_ONCE_SECONDS), 0)
            self.assertTrue(client.says("ending at once"))

    def test_a_server_that_drains_ends_at_once_by_a_second_signal_and_says_so_to_clients(self):
        for second in (signal.SIGTERM, signal.SIGINT):
            self.make_keys()
            server = self.start_server("--allow-target", TARGET)
            client = self.start_client("-L", FORWARD)
            with socket.create_connection(("127.0.0.1", LOCAL_PORT)) as connection:
                connection.sendall(b"GET / HTTP/1.1\r\n\r\n")
                self.assertIn(b"200", connection.recv(100))

                server.process.send_signal(signal.SIGTERM)
                server.wait_for("connections that are open have 30 s")
                # The server is still there, and its status too.
                self.assertEqual(self.server_figure("tcp_flows"), 1)
                self.assertEqual(server.end(second, AT_ONCE_SECONDS), 0)

                self.assertTrue(server.says("ending at once"))
                client.wait_for("the server ends")
            client.end(signal.SIGINT)
            for key in (self.server_key, self.client_key):
                key.unlink()

    def test_the_key_is_its_owners_and_is_not_overwritten(self):
        fingerprint = self.keygen(self.server_key)
        self.assertEqual(stat.S_IMODE(self.server_key.stat().st_mode), 0o600)

        self.assert_wrong_use(("keygen", "--key", self.server_key), "--force", fingerprint)
        forced = self.run_program("keygen", "--key", self.server_key, "--force")

        self.assertEqual(forced.returncode, 0)
        self.assertNotIn(fingerprint, forced.stdout)
        self.server_key.chmod(0o644)
        self.assert_wrong_use(
            ("server", "--key", self.server_key, "--allow-client", NOBODY),
            "can be read by others", f"chmod 600 {self.server_key}")

    def test_the_usual_key_file_needs_no_flag(self):
        self.assert_wrong_use(("server", "--allow-client", NOBODY), "godwit-tunnel keygen")
        self.assertEqual(self.run_program("keygen").returncode, 0)
        self.assertTrue((self.folder / "config/godwit-tunnel/key.pem").exists())

    def test_another_key_than_pinned_is_shown_with_the_pinned_one(self):
        self.make_keys()
        self.start_server()
        for command in (("client", "-L", FORWARD), ("ping",)):
            outcome = self.assert_wrong_use(
                (command[0], LISTEN, "--key", self.client_key, "--server-key", NOBODY,
                 *command[1:]), self.server, NOBODY)
            self.assertEqual(len(outcome.stderr.splitlines()), 1)

    def test_a_client_that_is_not_allowed_learns_what_to_add(self):
        self.make_keys()
        self.start_server()
        stranger = self.keygen(self.folder / "stranger.pem")
        for command in (("client", "-L", FORWARD), ("ping",)):
            self.assert_wrong_use(
                (command[0], LISTEN, "--key", self.folder / "stranger.pem", "--server-key",
                 self.server, *command[1:]), f"--allow-client {stranger}")

    def test_an_address_that_is_not_here_is_named(self):
        self.make_keys()
        self.assert_wrong_use(
            ("server", "--listen", "192.0.2.1:4433", "--key", self.server_key, "--allow-client",
             NOBODY), "192.0.2.1", "no interface has this address")
        self.assert_wrong_use(self.client_arguments("-L", "192.0.2.1:1:localhost:80"),
                              "192.0.2.1")

    def test_ports_in_use_are_named(self):
        self.make_keys()
        self.start_server()
        self.assert_wrong_use(
            ("server", "--listen", LISTEN, "--key", self.server_key, "--allow-client", NOBODY),
            "UDP port 4433 is in use")
        self.assert_wrong_use(self.client_arguments("-L", f"{TARGET_PORT}:localhost:80"),
                              f"127.0.0.1:{TARGET_PORT}", "in use")
        self.assert_wrong_use(self.client_arguments("-D", TARGET_PORT), "in use")
        self.assert_wrong_use(
            ("server", "--listen", "127.0.0.1:4434", "--key", self.server_key, "--allow-client",
             NOBODY, "--metrics", TARGET), "--metrics", "in use")

    def test_no_route_is_said(self):
        self.make_keys()
        self.assert_wrong_use(
            ("client", "192.0.2.1", "--key", self.client_key, "--server-key", NOBODY, "-L",
             FORWARD), "no route to 192.0.2.1")
        self.assert_wrong_use(self.client_of("[2001:db8::1]"), "no route to 2001:db8::1")

    def client_of(self, server):
        return ("client", server, "--key", self.client_key, "--server-key", NOBODY, "-L", FORWARD)

    def test_what_the_kernel_or_the_network_says_of_the_way_is_told(self):
        self.make_keys()
        for command in ("link add near0 type veth peer name near1", "link set near0 up",
                        "link set near1 up", "addr add 10.9.0.1/24 dev near0",
                        "route add blackhole 10.9.1.0/24", "route add prohibit 10.9.2.0/24",
                        "route add unreachable 10.9.3.0/24"):
            subprocess.run(["ip", *command.split()], check=True)
        self.addCleanup(subprocess.run, ["ip", "link", "del", "near0"], check=True)
        for server, said in (("127.0.0.1:4433", "nothing listens on UDP port 4433 of 127.0.0.1"),
                             ("localhost:4433", "nothing listens on UDP port 4433 of localhost"),
                             ("10.9.1.1", "no route to 10.9.1.1 port 4433"),
                             ("10.9.2.1", "not permitted to send to 10.9.2.1 port 4433"),
                             ("10.9.3.1", "no route to 10.9.3.1 port 4433: No route to host"),
                             # Nobody has this address: it takes the kernel 3 s to find out.
                             ("10.9.0.2", "no route to 10.9.0.2 port 4433: No route to host")):
            with self.subTest(server):
                outcome = self.assert_wrong_use(self.client_of(server), said)
                self.assertEqual(len(outcome.stderr.splitlines()), 1, outcome.stderr)

    def test_a_client_that_was_connected_says_when_it_tries_again(self):
        self.make_keys()
        server = self.start_server()
        client = self.start_client("-L", FORWARD)

        server.end(signal.SIGINT)

        client.wait_for("the connection to the server is lost")
        self.assertRegex(client.log.read_text(), r"; trying again in \d+\.\d s\n")

    def test_wrong_use_is_one_line(self):
        for arguments, said in (
                ((), "say what to do"),
                (("client",), "say which server"),
                (("client", "h", "--server-key", NOBODY, "-L", "80:h"), "write -L [udp:][BIND:]"),
                (("server",), "--allow-client"),
                (("server", "--frobnicate"), "there is no flag \"--frobnicate\"")):
            outcome = self.assert_wrong_use(arguments, said)
            self.assertEqual(len(outcome.stderr.splitlines()), 1)

    def test_status_without_a_tunnel_returns_one(self):
        self.assertEqual(self.run_program("status").returncode, 1)
        self.assertEqual(self.run_program("status", "--json").stdout, "[]\n")
        self.assert_wrong_use(("status", "--status-socket", "/none"), "no tunnel answers", "/none")

    def test_man_page_and_completion_have_every_flag(self):
        man_page = pathlib.Path(MAN_PAGE).read_text()
        completion = pathlib.Path(COMPLETION).read_text()
        for command in ("keygen", "server", "client", "status", "ping", "diag"):
            text = self.run_program(command, "--help").stdout
            flags = set(re.findall(r"^ +(?:-\w,)?--([a-z-]+)", text, re.MULTILINE)) - {"help"}
            self.assertEqual(command == "diag", not flags)
            for flag in flags:
                self.assertRegex(man_page, rf"[, ]-{flag}\b")
                self.assertRegex(completion, rf"--{flag}\b")

    def test_help_version_and_diag_print(self):
        self.assertIn("keygen", self.run_program("--help").stdout)
        self.assertIn("godwit-tunnel 0.1.0", self.run_program("--version").stdout)
        diag = self.run_program("diag", "127.0.0.1")
        self.assertEqual(diag.returncode, 0)
        for text in ("GSO", "rmem_max", "datagrams begin at 1200", "127.0.0.1:4433: from"):
            self.assertIn(text, diag.stdout)


def main():
    if INSIDE not in os.environ:
        namespace = isolation()
        if namespace is None:
            print("skipped: no network namespaces here: needs unprivileged user namespaces, or root")
            return
        os.environ[INSIDE] = "1"
        os.execvp(namespace[0], [*namespace, sys.executable, os.path.abspath(__file__),
                                  *sys.argv[1:4]])
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    unittest.main(argv=sys.argv[:1])


if __name__ == "__main__":
    main()
