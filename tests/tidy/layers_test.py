"""Tests of the real layers.txt, and of includes and cycles in planted trees."""

import unittest

import layers
import tree
from planted_tree import PlantedTreeTest

# The plan, from the bottom. Rows of one level are siblings.
TOWER = [["include"], ["base"], ["transport/wire"],
         ["transport/delivery", "crypto", "congestion"],
         ["transport/recovery", "transport/streams", "transport/path", "transport/lifecycle"],
         ["transport/connection"], ["transport/endpoint"], ["transport/engine"], ["runtime"]]


class LayersFileTest(PlantedTreeTest):

    def setUp(self):
        super().setUp()
        self.layers = layers.Layers(tree.Tree(self.root))

    def folders(self, row):
        return self.layers.rows[row].folders

    def test_it_is_readable(self):
        self.assertEqual(self.layers.problems, [])

    def test_the_tower(self):
        for level, rows in enumerate(TOWER):
            below = {row for lower in TOWER[:level] for row in lower}
            for row in rows:
                self.assertEqual(self.folders(row) - {"platform"}, below | {row}, row)

    def test_beside_the_tower(self):
        self.assertEqual(self.folders("platform"), {"include", "base", "platform"})
        self.assertEqual({row for rows in TOWER for row in rows if "platform" in
                          self.folders(row)}, {"runtime"})
        for row in ("tunnel", "bench"):
            self.assertEqual(self.folders(row), self.folders("runtime") | {row})
        self.assertEqual(self.folders("examples"), {"include", "examples"})

    def test_tests_mirror_the_tree(self):
        row = self.layers.rows["transport/wire"]
        mirrored = self.layers.rows["tests/transport/wire"]
        tests = {"tests/" + folder for folder in row.folders}
        self.assertEqual(mirrored.folders, row.folders | tests)
        self.assertIn("tests/base", tests)
        self.assertNotIn("tests/crypto", tests)
        self.assertEqual(mirrored.kinds, {"std", "absl", "gtest", "system", "openssl"})

    def test_the_simulator_knows_no_platform(self):
        self.assertIn("transport/endpoint", self.folders("tests/sim"))
        self.assertNotIn("platform", self.folders("tests/sim"))

    def test_kinds(self):
        for header, kind in (("vector", "std"), ("cstdint", "std"), ("absl/time/time.h", "absl"),
                             ("openssl/ssl.h", "openssl"), ("gmock/gmock.h", "gtest"),
                             ("benchmark/benchmark.h", "benchmark"), ("sys/socket.h", "system"),
                             ("linux/if_tun.h", "system"), ("unistd.h", "system"),
                             ("stdint.h", None), ("zlib.h", None), ("boost/asio.hpp", None)):
            self.assertEqual(self.layers.kind_of(header), kind, header)

    def test_who_sees_openssl(self):
        seen_by = {row for row, (_, kinds) in self.layers.rows.items() if "openssl" in kinds}
        self.assertEqual({row for row in seen_by if not row.startswith("tests/")},
                         {"crypto", "bench", "examples/openssl_clash"})

    def test_sans_io_folders(self):
        for path in ("include/godwit/a.h", "base/a.h", "crypto/a.h", "congestion/a.h",
                     "transport/engine/a.h"):
            self.assertTrue(self.layers.is_sans_io(path), path)
            self.assertNotIn("system", self.layers.rows[self.layers.row_of(path)].kinds)
        for path in ("platform/a.h", "runtime/a.h", "tests/base/a.h", "bench/a.h",
                     "include/godwit/client.h"):
            self.assertFalse(self.layers.is_sans_io(path), path)

    def test_who_may_share(self):
        for path in ("include/godwit/connection_ref.h", "transport/engine/a.h"):
            self.assertTrue(self.layers.may_share(path), path)
        for path in ("include/godwit/engine.h", "transport/endpoint/a.h"):
            self.assertFalse(self.layers.may_share(path), path)

    def test_unreadable_rows(self):
        for line in ("layer a : b", "layer a : | gtests", "lair a : | std", "layer a : \nlayer a :",
                     "kind a : (", "mirror tests : gtests"):
            with self.subTest(line):
                self.write("tests/tidy/layers.txt", line + "\n")
                self.assert_found(("tests/tidy/layers.txt", line.count("\n") + 1, "layers"))


class IncludeTest(PlantedTreeTest):

    def setUp(self):
        super().setUp()
        for path in ("include/godwit/time.h", "base/result.h", "crypto/aead.h",
                     "transport/wire/frame.h", "transport/path/path.h", "transport/streams/map.h",
                     "transport/endpoint/endpoint.h", "platform/socket.h", "runtime/loop.h",
                     "tests/base/fixture.h"):
            self.plant(path)

    def test_down_is_allowed_and_up_and_sideways_are_not(self):
        for path, bad, good in (
                ("include/godwit/a.h", "base/result.h", "godwit/time.h"),
                ("base/a.h", "transport/wire/frame.h", "godwit/time.h"),
                ("base/a.cc", "platform/socket.h", "base/result.h"),
                ("transport/wire/a.h", "crypto/aead.h", "base/result.h"),
                ("crypto/a.cc", "transport/path/path.h", "transport/wire/frame.h"),
                ("transport/path/a.cc", "transport/streams/map.h", "crypto/aead.h"),
                ("transport/endpoint/a.cc", "runtime/loop.h", "transport/path/path.h"),
                ("platform/a.cc", "transport/wire/frame.h", "base/result.h"),
                ("runtime/sub/a.cc", "tests/base/fixture.h", "platform/socket.h"),
                ("examples/a.cc", "runtime/loop.h", "godwit/time.h"),
                ("tests/base/a_test.cc", "transport/wire/frame.h", "tests/base/fixture.h"),
                ("tests/base/a_test.cc", "platform/socket.h", "base/result.h"),
                ("tests/sim/a_test.cc", "platform/socket.h", "transport/endpoint/endpoint.h")):
            self.assert_bad_and_good(path, "layer", f'#include "{bad}"', f'#include "{good}"')

    def test_outside_headers(self):
        for path, bad, good in (
                ("base/a.cc", "sys/socket.h", "vector"),
                ("base/a.cc", "netinet/in.h", "absl/status/status.h"),
                ("base/a.cc", "arpa/inet.h", "cstdint"),
                ("base/a.cc", "unistd.h", "array"),
                ("base/a.cc", "time.h", "span"),
                ("base/a.cc", "gtest/gtest.h", "string"),
                ("transport/wire/a.cc", "openssl/aead.h", "bit"),
                ("runtime/a.cc", "openssl/ssl.h", "sys/epoll.h"),
                ("platform/a.cc", "benchmark/benchmark.h", "linux/udp.h"),
                ("bench/a.cc", "gtest/gtest.h", "benchmark/benchmark.h"),
                ("tests/base/a_test.cc", "benchmark/benchmark.h", "gtest/gtest.h")):
            self.assert_bad_and_good(path, "layer", f"#include <{bad}>", f"#include <{good}>")
        self.plant("crypto/a.cc", "#include <openssl/ssl.h>")
        self.plant("tests/crypto/a_test.cc", '#include "openssl/ssl.h"')
        self.assert_clean()

    def test_header_of_unknown_kind(self):
        for bad in ("<zlib.h>", "<stdint.h>", '"boost/asio.hpp"', '"third_party/x.h"'):
            self.assert_bad_and_good("runtime/a.cc", "layer-kind", f"#include {bad}",
                                     f"// #include {bad}")

    def test_spelling(self):
        for bad, good in (('"result.h"', '"base/result.h"'),
                          ('"base/gone.h"', '"base/result.h"'),
                          ('"godwit/gone.h"', '"godwit/time.h"'),
                          ('"include/godwit/time.h"', '"godwit/time.h"'),
                          ("<godwit/time.h>", '"godwit/time.h"'),
                          ("GODWIT_HEADER", '"godwit/time.h"'),
                          ('"../base/result.h"', '"base/result.h"  // why')):
            self.assert_bad_and_good("runtime/a.cc", "include", f"#include {bad}",
                                     f"#  include {good}")

    def test_includes_in_comments_do_not_count(self):
        self.plant("base/a.cc", '/*', '#include "runtime/loop.h"', '*/', 'auto s = R"(',
                   '#include "runtime/loop.h"', ')";')
        self.assert_clean()

    def test_folder_without_row(self):
        self.plant("transport/teapot/a.h", "#include <vector>")
        self.plant("transport/teapot/b.h")
        self.assert_found(("transport/teapot/a.h", 1, "layer-row"))
        self.assertIn("add `layer transport/teapot :", self.problems()[0].what)


class CycleTest(PlantedTreeTest):

    def test_cycle_of_files(self):
        self.plant("base/a.h", '#include "base/b.h"')
        self.plant("base/b.h", '#include "base/c.h"')
        self.plant("base/c.h", "")
        self.plant("base/uses.cc", '#include "base/a.h"')
        self.assert_clean()
        self.plant("base/c.h", "", '#include "base/a.h"')
        self.assert_found(("base/a.h", 5, "cycle"))
        self.assertIn("base/a.h -> base/b.h -> base/c.h -> base/a.h", self.problems()[0].what)

    def test_header_that_includes_itself(self):
        self.plant("base/a.h", '#include "base/a.h"')
        self.assert_found(("base/a.h", 5, "cycle"))

    def test_cycle_of_folders(self):
        self.plant("base/a.h", '#include "crypto/a.h"')
        self.plant("base/b.h")
        self.plant("crypto/a.h")
        self.assert_found(("base/a.h", 5, "layer"))
        self.plant("crypto/b.h", '#include "base/b.h"')
        self.assert_found(("base/a.h", 5, "folder-cycle"), ("base/a.h", 5, "layer"))
        self.assertIn("base -> crypto -> base (base/a.h:5 includes crypto/a.h, "
                      "crypto/b.h:5 includes base/b.h)", self.problems()[0].what)

    def test_one_report_a_knot(self):
        edges = [("a", "b"), ("b", "a"), ("b", "c"), ("c", "b"), ("x", "y"), ("y", "x"),
                 ("c", "x"), ("0", "a"), ("y", "z")]
        self.assertEqual(list(layers.find_cycles(edges)), [["a", "b", "a"], ["x", "y", "x"]])
