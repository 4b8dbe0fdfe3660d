# SPDX-License-Identifier: Apache-2.0
"""What tests of example programs need: a certificate, and a server that runs beside the test."""

import hashlib
import pathlib
import subprocess

# Of a program that has nothing more to do: beyond it, it hangs.
PATIENCE_SECONDS = 60


class Certificate:
    """A fresh one for localhost, in two files, and the hash of its public key."""

    def __init__(self, folder):
        self.chain = pathlib.Path(folder, "certificate.pem")
        self.key = pathlib.Path(folder, "key.pem")
        _run("req", "-x509", "-newkey", "ed25519", "-nodes", "-keyout", self.key, "-out", self.chain,
             "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-days", "2")
        pem = _run("x509", "-in", self.chain, "-noout", "-pubkey")
        self.pin = hashlib.sha256(_run("pkey", "-pubin", "-outform", "der", stdin=pem)).hexdigest()


def _run(*arguments, stdin=b""):
    command = ["openssl", *map(str, arguments)]
    return subprocess.run(command, input=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=True).stdout


class Server:
    """A program that prints `listening on ADDRESS:PORT` and ends at the end of its input."""

    def __init__(self, *command, **options):
        self._process = subprocess.Popen(
            [str(c) for c in command], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, **options
        )
        line = self._process.stdout.readline()
        if not line.startswith("listening on "):
            self._process.kill()
            self._process.wait()
            raise AssertionError(f"{command[0]} printed {line!r} and not where it listens")
        self.port = line.rstrip().rpartition(":")[2]

    def next_line(self):
        return self._process.stdout.readline()

    def stop(self):
        """The exit status. More calls do nothing."""
        if not self._process.stdin.closed:
            self._process.stdin.close()
            self._process.stdout.close()
        try:
            return self._process.wait(PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
            raise


def run(*command, **options):
    """Runs a program to its end; what it printed and its exit status."""
    return subprocess.run(
        [str(c) for c in command], stdout=subprocess.PIPE, text=True, timeout=PATIENCE_SECONDS, **options
    )
