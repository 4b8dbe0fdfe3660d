#!/usr/bin/python3
"""godwit talks to quic-go's interop programs, in both roles, over hq-interop.

Two ends that share one misreading of the RFC prove nothing; these were written by others. quic-go is
built from Debian's package with Debian's Go. Its programs know fixed folders and port 443, so each
case runs in a network namespace of its own, and they in a root folder of their own.
"""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

QUIC_GO = "github.com/lucas-clemente/quic-go"
GOPATH = "/usr/share/gocode"
# Bazel gives tests a PATH without them.
os.environ["PATH"] = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
PORT = 443
# A bound against hanging, not a measure.
CASE_SECONDS = 120

HQ_SERVER, HQ_CLIENT = (os.path.abspath(path) for path in sys.argv[1:3])


def run(*command, **options):
    return subprocess.run(command, capture_output=True, text=True, timeout=CASE_SECONDS,
                          check=False, **options)


def isolation():
    """The command that begins a network namespace here, or None."""
    for command in (["unshare", "-Urn"], ["unshare", "-n"]):
        if run(*command, "true").returncode == 0:
            return command
    return None


def why_not():
    if shutil.which("go") is None or not os.path.isdir(f"{GOPATH}/src/{QUIC_GO}/interop"):
        return ("Go or quic-go is missing: tools/setup installs golang-go and "
                "golang-github-lucas-clemente-quic-go-dev")
    if isolation() is None:
        return "no network namespaces here: needs unprivileged user namespaces, or root"
    return None


@unittest.skipIf(why_not(), why_not())
class QuicGoTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(tempfile.mkdtemp(dir=os.environ.get("TEST_TMPDIR")))
        cls.root = cls.folder / "root"
        for name in ("logs", "qlog", "certs", "www", "downloads"):
            (cls.root / name).mkdir(parents=True)
        environment = {**os.environ, "GO111MODULE": "off", "GOPATH": GOPATH, "CGO_ENABLED": "0",
                       "GOCACHE": str(cls.folder / "cache"), "HOME": str(cls.folder)}
        for role in ("server", "client"):
            built = run("go", "build", "-o", str(cls.root / role), f"{QUIC_GO}/interop/{role}",
                        env=environment)
            assert built.returncode == 0, built.stderr
        made = run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                   "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", "/CN=localhost",
                   "-keyout", str(cls.root / "certs/priv.key"),
                   "-out", str(cls.root / "certs/cert.pem"))
        assert made.returncode == 0, made.stderr
        cls.files = {"large": 10_000_000, "small": 1_000, "empty": 0}
        cls.files.update({f"piece{i}": 20_000 + i for i in range(40)})
        for name, size in cls.files.items():
            (cls.root / "www" / name).write_bytes(os.urandom(size))

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.folder, ignore_errors=True)

    def setUp(self):
        for file in (self.root / "downloads").iterdir():
            file.unlink()

    def in_namespace(self, script):
        return run(*isolation(), "bash", "-c", f"set -e; ip link set lo up; {script}")

    def assert_downloaded(self, names):
        for name in names:
            got = (self.root / "downloads" / name).read_bytes()
            self.assertEqual(got, (self.root / "www" / name).read_bytes(), name)

    def their_client(self, case, names):
        """Their client gets `names` from our server; returns what it said."""
        certs = self.root / "certs"
        urls = " ".join(f"https://127.0.0.1:{PORT}/{name}" for name in names)
        return self.in_namespace(f"""
            coproc server {{ exec {HQ_SERVER} {certs}/cert.pem {certs}/priv.key {self.root}/www \
                0.0.0.0:{PORT}; }}
            read -r line <&${{server[0]}}
            status=0
            QLOGDIR=/qlog/ TESTCASE={case} chroot {self.root} /client {urls} || status=$?
            kill $server_PID
            exit $status""")

    def our_client(self, case, names):
        return self.in_namespace(f"""
            QLOGDIR=/qlog/ TESTCASE={case} chroot {self.root} /server &
            server=$!
            for i in $(seq 200); do ss -Hlun sport = :{PORT} | grep -q . && break; sleep 0.05; done
            status=0
            {HQ_CLIENT} 127.0.0.1 {PORT} {self.root}/downloads {' '.join(names)} || status=$?
            kill $server
            exit $status""")

    def assert_gets(self, side, case, names):
        outcome = side(case, names)
        self.assertEqual(outcome.returncode, 0, outcome.stdout + outcome.stderr)
        self.assert_downloaded(names)

    def test_their_client_gets_ten_megabytes(self):
        self.assert_gets(self.their_client, "transfer", ["large", "small"])

    def test_our_client_gets_ten_megabytes(self):
        self.assert_gets(self.our_client, "transfer", ["large", "small", "empty"])

    def test_their_client_gets_forty_files_at_once(self):
        self.assert_gets(self.their_client, "transfer", [f"piece{i}" for i in range(40)])

    def test_our_client_gets_forty_files_at_once(self):
        self.assert_gets(self.our_client, "transfer", [f"piece{i}" for i in range(40)])

    def test_their_client_makes_a_connection_for_each_file(self):
        self.assert_gets(self.their_client, "multiconnect", [f"piece{i}" for i in range(10)])

    def test_their_client_with_chacha20(self):
        self.assert_gets(self.their_client, "chacha20", ["large"])

    def test_our_client_with_chacha20(self):
        self.assert_gets(self.our_client, "chacha20", ["large"])

    def test_their_client_updates_keys_every_hundred_packets(self):
        self.assert_gets(self.their_client, "keyupdate", ["large"])

    def test_their_client_is_told_our_versions(self):
        # It speaks a version that does not exist, and says what it was offered instead.
        outcome = self.their_client("versionnegotiation", ["small"])
        self.assertRegex(outcome.stdout + outcome.stderr,
                         r"(?i)no compatible QUIC version found .*server offered \[.*\bv1\b")


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)
