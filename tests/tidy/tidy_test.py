#!/usr/bin/python3
"""Tidy finds each planted violation, and nothing in the clean twin."""

import os
import subprocess
import sys
import unittest

sys.dont_write_bytecode = True

import text_rules
import tidy
from cpp_text_test import BlankTest, FindFunctionsTest  # runs them here
from layers_test import CycleTest, IncludeTest, LayersFileTest  # runs them here
from planted_tree import HERE, PlantedTreeTest, header, source


class SansIoTest(PlantedTreeTest):

    def test_banned_headers(self):
        for name in ("thread", "mutex", "shared_mutex", "condition_variable", "atomic", "future",
                     "chrono", "ctime", "random", "iostream", "fstream", "functional", "regex",
                     "typeinfo", "absl/time/clock.h", "absl/synchronization/mutex.h",
                     "absl/random/random.h"):
            self.assert_bad_and_good("congestion/cubic.h", "sans-io", f"#include <{name}>",
                                     f"// #include <{name}>")

    def test_banned_words(self):
        for bad, good in (
                ("std::function<void()> f;", "absl::FunctionRef<void()> f;"),
                ("std::shared_ptr<int> p;", "std::unique_ptr<int> p;"),
                ("auto p = std::make_shared<int>();", "auto p = std::make_unique<int>();"),
                ("int x = rand();", "int x = operand();"),
                ("int x = std::rand();", "int x = random.rand();"),
                ("auto t = time(nullptr);", "Timestamp time() const;"),
                ("auto t = ::time(0);", "auto t = packet.time();"),
                ("auto t = std::time(&x);", "auto t = sent_time(&x);"),
                ("auto t = std::chrono::steady_clock::now();", "Timestamp now;"),
                ("auto t = absl::Now();", "auto t = Now();"),
                ("int r = clock_gettime(0, &t);", "int clock_gettime_count;"),
                ("auto t = clock();", "auto t = packet.clock();"),
                ("auto t = ::clock();", "int clock_count;"),
                ("auto t = std::clock();", "int clock;"),
                ("auto t = __builtin_ia32_rdtsc();", "int rdtsc_count;"),
                ("pthread_t t;", "int pthreads;"),
                ("void F() { usleep(3); }", "void F() { timer.usleep(3); }"),
                ("int s = socket(2, 1, 0);", "UdpSocket socket_;"),
                ("auto n = sendto(s, p, 3);", "auto n = path.sendto(p);"),
                ("auto e = getenv(name);", "auto e = config.getenv(name);"),
                ("std::random_device device;", "Random& random;"),
                ("int r = RAND_bytes(p, 3);", "int r = random.Fill(p);"),
                ("void F() { throw 1; }", "int throw_count;"),
                ("auto p = dynamic_cast<A*>(b);", "auto p = static_cast<A*>(b);"),
                ("auto p = typeid(b).name();", "int typeid_count;")):
            self.assert_bad_and_good("transport/wire/frame.h", "sans-io", bad, good)

    def test_words_in_comments_and_literals_are_free(self):
        self.plant("base/result.cc", "// throw std::function", "/* rand()", "   typeid */",
                   'auto a = "throw \\" rand()";', 'auto b = R"x(throw " typeid(")x";',
                   "auto c = 1'000'000;  // throw", "auto d = '\"';  // rand()")
        self.assert_clean()

    def test_word_after_a_literal_is_found(self):
        self.plant("base/result.cc", 'auto a = "\\"" + 1\'0 + \'"\' + rand();',
                   'auto b = R"x(")x" + rand();', "/* */ int c = rand();")
        self.assert_found(*(("base/result.cc", line, "sans-io") for line in (2, 3, 4)))

    def test_other_folders_are_free(self):
        for path in ("runtime/loop.cc", "tunnel/main.cc", "tests/base/result_test.cc"):
            self.plant(path, "#include <chrono>", "#include <thread>", "std::function<void()> f;")
        self.assert_clean()

    def test_containers_are_free(self):
        self.plant("crypto/tickets.h", "#include <map>", "#include <string>",
                   "std::map<std::string, int> m;")
        self.assert_clean()


class TextRulesTest(PlantedTreeTest):

    def test_lines(self):
        for rule, bad, good in (
                ("line-length", "// " + "x" * 98, "// " + "§" * 97),
                ("space", "int\tx;", "int x;"),
                ("space", "int x; ", "int x;"),
                ("space", "int x;\r", "int x;"),
                ("todo", "// TODO(me): later", "// TODOS"),
                ("todo", "// FIXME later", "// A todo list."),
                ("using-namespace", "using namespace std;", "// using namespace std;"),
                ("using-namespace", "using  namespace std;", "using std::string;"),
                ("using-namespace", "using namespace absl;",
                 "using namespace std::string_view_literals;"),
                ("maybe", "void MaybeSend();", "// Maybe later. MaybeSend."),
                ("maybe", "int x = kMaybeSend;", "int x = kMaybe;"),
                ("guard", "#pragma once", "#pragma GCC poison")):
            self.assert_bad_and_good("tunnel/loop.h", rule, bad, good)

    def test_vague_file_names(self):
        for name in ("utils.h", "util.cc", "string_utils.h", "common.h", "tls_common.cc",
                     "helpers.h", "test_helper.cc", "utils_test.cc", "manager.h"):
            with self.subTest(name):
                self.plant("base/" + name)
                self.assert_found(("base/" + name, 1, "file-name"))
                self.remove("base/" + name)

    def test_vague_folder_name(self):
        self.plant("runtime/common/loop.h")
        self.assert_found(("runtime/common/loop.h", 1, "file-name"))

    def test_telling_file_names(self):
        for name in ("path_manager.h", "uncommon.h", "utility_of_path.h"):
            self.plant("base/" + name)
        self.assert_clean()

    def test_licence_comes_first(self):
        self.plant("base/result.cc")
        self.write("base/result.cc", "\n" + source())
        self.assert_found(("base/result.cc", 1, "spdx"))

    def test_header_opens_with_a_comment(self):
        path = "base/result.h"
        guard = text_rules.guard_of(path)
        self.plant(path)
        self.write(path, source("", f"#ifndef {guard}", f"#define {guard}", "// Too late.",
                                f"#endif  // {guard}"))
        self.assert_found((path, 2, "header-comment"))
        self.write(path, source("", "// Early.", f"#ifndef {guard}", f"#define {guard}",
                                f"#endif  // {guard}"))
        self.assert_clean()

    def test_guard_follows_the_path(self):
        self.assertEqual(text_rules.guard_of("base/result.h"), "GODWIT_BASE_RESULT_H_")
        self.assertEqual(text_rules.guard_of("include/godwit/time.h"), "GODWIT_INCLUDE_TIME_H_")
        self.assertEqual(text_rules.guard_of("tests/sim/link.h"), "GODWIT_TESTS_SIM_LINK_H_")

    def test_wrong_guards(self):
        path = "base/result.h"
        right = header(path, "int x;")
        self.plant(path)
        for line, wrong in (
                (3, right.replace("BASE", "CRYPTO")),
                (3, right.replace("#define GODWIT_BASE", "#define GODWIT_BAZE")),
                (3, right.replace("#ifndef", "#if")),
                (6, right.replace("#endif  // GODWIT_BASE", "#endif  // GODWIT_BAZE")),
                (7, right + "int after;\n"),
                (1, source("// Why.", "int x;"))):
            with self.subTest(wrong):
                self.write(path, wrong)
                self.assert_found((path, line, "guard"))

    def test_generated_and_hidden_folders_are_skipped(self):
        for folder in ("base/bazel-out", "base/.cache", "tests/node_modules"):
            self.write(folder + "/utils.h", "using namespace std;\t")
        self.assert_clean()


class SizesTest(PlantedTreeTest):

    def write_unit(self, lines):
        """base/big.h and base/big.cc, `lines` together."""
        self.plant("base/big.h")
        self.plant("base/big.cc", *["int x;"] * (lines - 6))

    def write_function(self, lines, name="Result::Big"):
        self.plant("base/long.cc", f"int {name}(int a) {{", *["  a++;"] * (lines - 2), "}")

    def allow(self, *entries):
        self.write("tests/tidy/allowlist.txt", "\n".join(entries) + "\n")

    def test_units(self):
        self.write_unit(600)
        self.assert_clean()
        self.write_unit(601)
        self.assert_found(("base/big.cc", 1, "unit-length"))

    def test_functions(self):
        self.write_function(70)
        self.assert_clean()
        self.write_function(71)
        self.assert_found(("base/long.cc", 2, "function-length"))

    def test_limits_hold_for_tests(self):
        self.plant("tests/base/a_test.cc", "TEST(A,", "     B) {", *["  F();"] * 68, "}")
        self.plant("tests/base/b_test.cc", *["int x;"] * 600)
        self.assert_found(("tests/base/a_test.cc", 2, "function-length"),
                          ("tests/base/b_test.cc", 1, "unit-length"))
        self.allow("function tests/base/a_test.cc A.B 71", "unit tests/base/b_test 601")
        self.assert_clean()

    def test_entry_that_fits(self):
        self.write_unit(650)
        self.write_function(90)
        self.allow("# waiting", "unit base/big 650  # why", "",
                   "function base/long.cc Result::Big 90")
        self.assert_clean()

    def test_grown_past_its_entry(self):
        self.write_unit(651)
        self.write_function(91)
        self.allow("unit base/big 650", "function base/long.cc Result::Big 90")
        self.assert_found(("base/big.cc", 1, "unit-length"),
                          ("base/long.cc", 2, "function-length"))

    def test_entry_must_shrink(self):
        path = "tests/tidy/allowlist.txt"
        self.allow("unit base/big 650", "function base/long.cc Result::Big 90")
        for unit, function in ((649, 89), (600, 70), (20, 10)):
            with self.subTest(unit=unit):
                self.write_unit(unit)
                self.write_function(function)
                self.assert_found((path, 1, "allowlist"), (path, 2, "allowlist"))
        self.remove("base/big.cc")
        self.remove("base/big.h")
        self.write_function(90, "Result::Renamed")
        self.assert_found((path, 1, "allowlist"), (path, 2, "allowlist"),
                          ("base/long.cc", 2, "function-length"))

    def test_entry_within_the_limit(self):
        self.write_unit(500)
        self.allow("unit base/big 500")
        self.assert_found(("tests/tidy/allowlist.txt", 1, "allowlist"))

    def test_unreadable_entries(self):
        self.write_unit(650)
        self.allow("unit base/big 650", "unit base/big 650", "unit base/big", "class X 3", "unit")
        self.assert_found(*(("tests/tidy/allowlist.txt", line, "allowlist")
                            for line in (2, 3, 4, 5)))

    def test_unbalanced_braces(self):
        for body in (["void F() {"], ["}"], ["#if A", "void F(int a) {", "#else", "void F() {",
                                             "#endif", "}"]):
            with self.subTest(body):
                self.plant("base/odd.cc", *body)
                self.assert_found(("base/odd.cc", 1, "braces"))


class DocsTest(PlantedTreeTest):

    def write_architecture(self, *lines):
        self.write("ARCHITECTURE.md", "\n".join(lines) + "\n")

    def test_citations(self):
        for bad, good in (
                ("// RFC 9000 §24: x", "// RFC 9000 §22: x"),
                ("// RFC 9002 §6.2.9: x", "// RFC 9002 §6.2.1: x"),
                ("// RFC 8999 §5.5.", "// RFC 8999 §5.4."),
                ("// RFC 9001 §9.9", "// RFC 9001 §9.5"),
                ("// RFC 9221 §5.5", "// RFC 9221 §5.4"),
                ("// RFC 9002 §A.12", "// RFC 9002 §A.11"),
                ("// RFC 9001 Appendix C", "// RFC 9001 Appendix B"),
                ("// RFC 9000 §4.6, §4.7", "// RFC 9000 §4.6, §4.5"),
                ("// RFC 9000 §17.1, A.2 and A.9", "// RFC 9000 §17.1, A.2 and A.3"),
                ("// RFC 9000 §4.6 and §40", "// RFC 9000 §4.6 and 40 others"),
                ('auto s = "rfc9000#4.7";', 'auto s = "rfc9000#4.6";'),
                ("// RFC 9000 Section 4.6", "// RFC 9000 and its section on streams"),
                ("// RFC9000 §4.6", "// RFC 9000"),
                ("// RFC 9000, §4.6", "// RFC 9406 §99.9 is not in the file"),
                ("// RFC 9000 §§4.5", "// RFC 9000 §4.5"),
                ("// RFC 9000 4.6", "// RFC 9000 4 times"),
                ("// Section 4.6 of RFC 9000", "// a section of RFC 9000")):
            self.assert_bad_and_good("base/result.cc", "rfc", bad, good)

    def test_citation_over_two_lines(self):
        self.plant("base/result.cc", "// as in RFC 9000", "// §4.6, §10.2,", "// §10.9")
        self.assert_found(("base/result.cc", 2, "rfc"))

    def test_build_files(self):
        self.plant("base/result.h")
        self.remove("base/BUILD.bazel")
        self.assert_found(("base/BUILD.bazel", 1, "build-file"))
        self.write("base/BUILD.bazel", 'load("x")\n# Late.\n')
        self.assert_found(("base/BUILD.bazel", 1, "build-file"))

    def test_names_in_architecture_exist(self):
        self.plant("transport/wire/frame_reader.h", "struct FrameReader { int Next(); };",
                   '#include "absl/types/span.h"')
        self.plant("include/godwit/time.h")
        self.write_architecture(
            "`transport/wire`, `transport/wire/`, `transport/wire/frame_reader.h`,",
            "`frame_reader.h`, `frame_reader`, `godwit/time.h`, `tests/tidy/layers.txt`,",
            "`FrameReader`, `FrameReader::Next(now)`, `absl/types/span.h`, `std::span`, `ACK`,",
            "`MAX_DATA`, `On<X>Frame`, `epoll`, `--config=asan`, `x + 1`", "```",
            "`NoName`", "```")
        self.assert_clean()

    def test_names_in_architecture_that_do_not_exist(self):
        self.plant("transport/wire/frame_reader.h", "struct FrameReader {};", "// OldName",
                   'auto s = "OldString";')
        names = ("transport/wyre", "frame_writer.h", "frame_writer", "godwit/tyme.h", "NoName",
                 "FrameReader::Gone", "FrameReader::Next()", "OldName", "OldString", "kNone",
                 "GODWIT_NONE", "a::b", "tests/tidy/none.py")
        self.write_architecture(*(f"see `{name}`." for name in names))
        self.assert_found(*(("ARCHITECTURE.md", line, "architecture")
                            for line in range(1, len(names) + 1)))

    def test_architecture_stays_short(self):
        self.write_architecture(*["word"] * 250)
        self.assert_clean()
        self.write_architecture(*["word"] * 251)
        self.assert_found(("ARCHITECTURE.md", 251, "architecture"))


class CommandTest(PlantedTreeTest):

    def run_tidy(self, argument):
        return subprocess.run([sys.executable, os.path.join(HERE, "tidy.py"), argument],
                              stdout=subprocess.PIPE, encoding="utf-8", check=False)

    def plant_five(self):
        for name in "abcde":
            self.plant(f"base/{name}.cc")

    def test_clean_tree(self):
        self.plant_five()
        result = self.run_tidy(self.root)
        self.assertEqual(result.returncode, 0)
        self.assertEqual(result.stdout, f"tidy: 0 problems in 5 sources under {self.root}\n")

    def test_problems_are_sorted_and_counted(self):
        self.plant_five()
        self.plant("base/b.cc", *["int x;"] * 9, "using namespace std;")
        self.plant("base/a.cc", "int x; ", "int\tx;", "int x; ")
        result = self.run_tidy(self.root)
        lines = result.stdout.splitlines()
        self.assertEqual(result.returncode, 1)
        self.assertEqual([line.split(" ")[0] for line in lines],
                         ["base/a.cc:2:", "base/a.cc:3:", "base/a.cc:4:", "base/b.cc:11:", "tidy:"])
        self.assertIn("base/a.cc:3: space: a tab; indent with spaces", lines)
        self.assertEqual(lines[-1], f"tidy: 4 problems in 5 sources under {self.root}")

    def test_link_to_workspace_leads_to_the_tree(self):
        self.plant_five()
        link = os.path.join(self.root, "tests/tidy/link")
        os.symlink(os.path.join(self.root, "WORKSPACE"), link)
        self.assertIn(f"in 5 sources under {self.root}\n", self.run_tidy(link).stdout)

    def test_wrong_place_fails(self):
        self.plant("base/a.cc")
        result = self.run_tidy(self.root)
        self.assertEqual(result.returncode, 1)
        self.assertIn("this is not the tree", result.stdout)

    def test_without_argument_it_looks_at_its_own_tree(self):
        self.assertEqual(os.path.join(tidy.root_of(None), "tests/tidy"), HERE)


if __name__ == "__main__":
    unittest.main()
