#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Installs godwit into a fresh folder and builds examples from there, without Bazel."""

import os
import pathlib
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True  # the tree stays as it was
sys.path.insert(0, "tests/examples")

from server_process import Certificate, Server, run

INSTALL = pathlib.Path("packaging/install")
EXAMPLES = pathlib.Path("examples")
# Through the link to a file of it: the tree itself, for what Bazel was not told of.
TREE = pathlib.Path("WORKSPACE").resolve().parent
COMPILER = ["g++", "-std=c++20", "-Wall", "-Wextra", "-Werror"]


# What the pieces of C++ in the guide take for given.
SNIPPET = """
void Snippet{number}(godwit::Client& client, godwit::ClientConfig& client_config, godwit::Server& server,
                     godwit::ServerConfig& server_config, godwit::ConnectionRef connection, godwit::Loop& loop,
                     std::string_view pin) {{
{code}
}}
"""


def output(*command, **options):
    """What a program prints; a failure shows all of it. Without one that tools/setup installs if it can, the test is
    skipped."""
    if command[0] in ("cmake", "pkg-config") and shutil.which(command[0]) is None:
        raise unittest.SkipTest(f"{command[0]} is not installed: tools/setup installs it")
    done = subprocess.run([str(c) for c in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          **options)
    if done.returncode:
        raise AssertionError(f"{command[0]} ended with {done.returncode}:\n{done.stdout}")
    return done.stdout


class InstallTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(cls.enterClassContext(tempfile.TemporaryDirectory()))
        cls.certificate = Certificate(cls.folder)
        cls.prefix = cls.folder / "prefix"
        output(INSTALL, cls.prefix)
        for name in ["coroutine_echo_client.cc", "coroutine_echo_server.cc", "echo_client.cc", "echo_server.cc"]:
            shutil.copyfile(EXAMPLES / name, cls.folder / name)

        # Built under a sanitizer, the libraries want programs that are too.
        symbols = output("nm", "--undefined-only", cls.prefix / "lib/libgodwit.a")
        sanitizers = [name for name in ["address", "undefined", "thread"]
                      if re.search({"address": "__asan_", "undefined": "__ubsan_", "thread": "__tsan_"}[name], symbols)]
        cls.sanitizer_flags = [f"-fsanitize={','.join(sanitizers)}"] if sanitizers else []

    def build(self, name, library):
        """The example `name`, built by pkg-config's flags of `library`."""
        program = self.folder / f"{name}_{library}"
        flags = self.pkg_config("--cflags", "--libs", library)
        output(*COMPILER, *self.sanitizer_flags, self.folder / f"{name}.cc", "-o", program, *flags)
        return program

    def pkg_config(self, *arguments):
        environment = dict(os.environ, PKG_CONFIG_PATH=str(self.prefix / "lib/pkgconfig"))
        return shlex.split(output("pkg-config", *arguments, env=environment))

    def expect_echo(self, server, client, **options):
        process = Server(server, self.certificate.chain, self.certificate.key, "127.0.0.1:0", **options)
        self.addCleanup(process.stop)
        done = run(client, "127.0.0.1", process.port, self.certificate.pin, "hello", **options)
        self.assertEqual((done.returncode, done.stdout), (0, "hello"))

    def exported(self):
        """The names that the shared library gives to others, in C++."""
        lines = output("nm", "-DC", "--defined-only", self.prefix / "lib/libgodwit.so.0").splitlines()
        return {line.split(" ", 2)[2] for line in lines}

    def test_all_public_headers_are_installed(self):
        installed = {path.name for path in (self.prefix / "include/godwit").iterdir()}

        # A missing one belongs to no target that the list in packaging/BUILD.bazel leads to.
        self.assertEqual(installed, {path.name for path in (TREE / "include/godwit").glob("*.h")})

    def test_public_headers_need_nothing_that_is_not_installed(self):
        unit = self.folder / "headers.cc"
        names = sorted(path.name for path in (self.prefix / "include/godwit").iterdir())
        unit.write_text("".join(f'#include "godwit/{name}"\n' for name in names))

        output(*COMPILER, "-fsyntax-only", unit, *self.pkg_config("--cflags", "godwit"))

    def test_programs_build_by_pkg_config_with_the_shared_library(self):
        server = self.build("echo_server", "godwit")
        client = self.build("echo_client", "godwit")

        self.assertIn("[libgodwit.so.0]", output("readelf", "-d", client))
        self.expect_echo(server, client, env=dict(os.environ, LD_LIBRARY_PATH=str(self.prefix / "lib")))

    def test_coroutines_build_by_pkg_config_with_the_shared_library(self):
        server = self.build("coroutine_echo_server", "godwit")
        client = self.build("coroutine_echo_client", "godwit")

        self.expect_echo(server, client, env=dict(os.environ, LD_LIBRARY_PATH=str(self.prefix / "lib")))

    def test_programs_build_by_pkg_config_with_the_static_library(self):
        server = self.build("echo_server", "godwit-static")
        client = self.build("echo_client", "godwit-static")

        self.assertNotIn("libgodwit", output("readelf", "-d", client))
        self.expect_echo(server, client)

    def test_programs_build_by_cmake_with_either_library(self):
        source = self.folder / "cmake"
        source.mkdir()
        (source / "CMakeLists.txt").write_text(f"""
cmake_minimum_required(VERSION 3.25)
project(echo CXX)
find_package(godwit 0.1 REQUIRED)
add_executable(echo_server "{self.folder}/echo_server.cc")
target_link_libraries(echo_server godwit::godwit)
add_executable(echo_client "{self.folder}/echo_client.cc")
target_link_libraries(echo_client godwit::shared)
""")
        build = source / "build"

        output("cmake", "-S", source, "-B", build, f"-DCMAKE_PREFIX_PATH={self.prefix}",
               f"-DCMAKE_CXX_FLAGS={' '.join(self.sanitizer_flags)}")
        output("cmake", "--build", build)

        self.expect_echo(build / "echo_server", build / "echo_client")

    def test_cmake_refuses_another_minor_version(self):
        source = self.folder / "cmake_version"
        source.mkdir()
        (source / "CMakeLists.txt").write_text("""
cmake_minimum_required(VERSION 3.25)
project(echo CXX)
find_package(godwit 0.2)
if(godwit_FOUND)
  message(FATAL_ERROR "0.2 was found")
endif()
""")

        output("cmake", "-S", source, "-B", source / "build", f"-DCMAKE_PREFIX_PATH={self.prefix}")

    def test_the_shared_library_exports_only_classes_of_public_headers(self):
        headers = "".join(path.read_text() for path in (self.prefix / "include/godwit").iterdir())
        public = set(re.findall(r"^(?:class|struct) (\w+)(?: final)?(?: :[^{;]*)? \{", headers, re.MULTILINE))

        # Templates of the standard library are everybody's.
        others = [name for name in self.exported()
                  if not name.startswith("std::")
                  and not (name.startswith("godwit::") and name.split("::")[1] in public)]

        self.assertEqual(others, [])

    def test_the_shared_library_exports_all_functions_of_public_classes(self):
        declared = re.findall(r"^      godwit::(\w+)::\*;", pathlib.Path("packaging/godwit.map").read_text(),
                              re.MULTILINE)
        headers = "".join(path.read_text() for path in (self.prefix / "include/godwit").iterdir())
        public = set(re.findall(r"^(?:class|struct) (\w+)(?: final)?(?: :[^{;]*)? \{", headers, re.MULTILINE))
        lines = output("nm", "-C", "--defined-only", self.prefix / "lib/libgodwit.a").splitlines()
        functions = {match.group(1) for match in (re.match(r"\w+ T (godwit::.*)", line) for line in lines) if match}

        wanted = {name for name in functions if name.split("::")[1] in public}

        self.assertGreater(len(wanted), 50)
        self.assertEqual(wanted - self.exported(), set())
        self.assertEqual([name for name in declared if name not in public], [])

    def test_the_code_of_the_guide_compiles(self):
        code = re.findall(r"^```cpp\n(.*?)^```$", (TREE / "docs/guide.md").read_text(), re.MULTILINE | re.DOTALL)
        programs = [piece for piece in code if "int main(" in piece]
        code = [piece for piece in code if piece not in programs]
        unit = self.folder / "guide.cc"
        unit.write_text("#include <cstdio>\n#include <thread>\n"
                        '#include "godwit/client.h"\n#include "godwit/server.h"\n'
                        + "".join(SNIPPET.format(number=i, code=c) for i, c in enumerate(code)))

        output(*COMPILER, "-Wno-unused-parameter", "-fsyntax-only", unit, *self.pkg_config("--cflags", "godwit"))
        for program in programs:
            unit.write_text(program)
            output(*COMPILER, "-fsyntax-only", unit, *self.pkg_config("--cflags", "godwit"))

        self.assertGreater(len(code), 10)
        self.assertEqual(len(programs), 1)

    def test_destdir_moves_the_files_and_not_what_they_say(self):
        destination = self.folder / "destination"
        prefix = self.folder / "not_yet"

        output(INSTALL, prefix, env=dict(os.environ, DESTDIR=str(destination)))

        self.assertFalse(prefix.exists())
        self.assertTrue(pathlib.Path(f"{destination}{prefix}/lib/libgodwit.so").exists())
        text = pathlib.Path(f"{destination}{prefix}/lib/pkgconfig/godwit.pc").read_text()
        self.assertIn(f"prefix={prefix}\n", text)

    def test_a_relative_prefix_is_that_of_the_caller(self):
        environment = dict(os.environ, BUILD_WORKING_DIRECTORY=str(self.folder))

        output(INSTALL, "relative/prefix", env=environment)

        text = (self.folder / "relative/prefix/lib/pkgconfig/godwit.pc").read_text()
        self.assertIn(f"prefix={self.folder}/relative/prefix\n", text)

    def test_a_prefix_that_cannot_be_made_is_named(self):
        (self.folder / "file").touch()

        done = run(INSTALL, self.folder / "file/prefix", stderr=subprocess.PIPE)

        self.assertEqual(done.returncode, 1)
        self.assertIn(f"cannot make folders in {self.folder}/file/prefix", done.stderr)

    def test_without_a_prefix_the_usage_is_shown(self):
        done = run(INSTALL, stderr=subprocess.PIPE)

        self.assertEqual(done.returncode, 2)
        self.assertIn("//packaging:install -- PREFIX", done.stderr)

    def test_the_version_is_that_of_the_module(self):
        declared = re.search(r'version = "([^"]+)"', (TREE / "MODULE.bazel").read_text()).group(1)

        self.assertEqual(self.pkg_config("--modversion", "godwit"), [declared])
        self.assertEqual(self.pkg_config("--modversion", "godwit-static"), [declared])


if __name__ == "__main__":
    unittest.main()
