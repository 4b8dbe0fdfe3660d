#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Builds the echo programs in a Bazel workspace that has godwit as a repository."""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True  # the tree stays as it was
sys.path.insert(0, "tests/examples")

from server_process import Certificate, Server, run

EXAMPLES = pathlib.Path("examples")
TREE = pathlib.Path("WORKSPACE").resolve().parent

WORKSPACE = f"""
workspace(name = "application")

local_repository(
    name = "godwit",
    path = "{TREE}",
)

load("@godwit//third_party/system:repositories.bzl", "system_repositories")

system_repositories()
"""

BUILD = """
load("@rules_cc//cc:cc_binary.bzl", "cc_binary")

cc_binary(
    name = "echo_client",
    srcs = ["echo_client.cc"],
    deps = [
        "@godwit//include:client",
        "@godwit//runtime:client",
    ],
)

cc_binary(
    name = "echo_server",
    srcs = ["echo_server.cc"],
    deps = [
        "@godwit//include:server",
        "@godwit//runtime:server",
    ],
)
"""


class WorkspaceTest(unittest.TestCase):
    def test_programs_build_in_another_workspace(self):
        folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        application = folder / "application"
        application.mkdir()
        (application / "WORKSPACE").write_text(WORKSPACE)
        (application / "BUILD.bazel").write_text(BUILD)
        (application / ".bazelrc").write_text("build --cxxopt=-std=c++20 --dynamic_mode=off\n")
        for name in ["echo_client.cc", "echo_server.cc"]:
            shutil.copyfile(EXAMPLES / name, application / name)
        certificate = Certificate(folder)
        # Bazel must not find out that it is called by itself, nor fetch anything.
        environment = {"HOME": str(folder), "PATH": os.environ["PATH"]}
        bazel = ["bazel", f"--output_user_root={folder}/bazel", "--max_idle_secs=60"]

        try:
            built = subprocess.run([*bazel, "build", "--noshow_progress", "//..."], cwd=application, env=environment,
                                   stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
            self.assertEqual(built.returncode, 0, built.stdout)
            server = Server(application / "bazel-bin/echo_server", certificate.chain, certificate.key, "127.0.0.1:0")
            self.addCleanup(server.stop)
            client = run(application / "bazel-bin/echo_client", "127.0.0.1", server.port, certificate.pin, "hello")
        finally:
            subprocess.run([*bazel, "shutdown"], cwd=application, env=environment, check=True)
            # Bazel takes the right to write from its outputs.
            subprocess.run(["chmod", "-R", "u+w", folder / "bazel"], check=True)

        self.assertEqual((client.returncode, client.stdout), (0, "hello"))


if __name__ == "__main__":
    unittest.main()
