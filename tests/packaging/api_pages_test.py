#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Makes the API pages, in which every warning is an error. Without Doxygen, only their filter runs."""

import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True  # the tree stays as it was

# Through the link to a file of it: what Bazel was not told of is looked at too.
TREE = pathlib.Path("WORKSPACE").resolve().parent
sys.path.insert(0, str(TREE / "docs"))

from doxygen_filter import filtered

HEADER = """\
// SPDX-License-Identifier: Apache-2.0
//
// What the file is for <here>:
//
//   an.Example();
//
#ifndef GUARD

// ---- A part ----

// Of the struct.
struct A {
  int a = 0;  // Of a.
  void F() {
    // Of the code.
  }
};
"""

FILTERED = """\
/*! \\file

What the file is for \\<here\\>:

\\verbatim
  an.Example();
\\endverbatim

*/
#ifndef GUARD



/*!
Of the struct.
*/
struct A {
  int a = 0;  /*!< Of a. */
  void F() {
    // Of the code.
  }
};
"""


class ApiPagesTest(unittest.TestCase):
    maxDiff = None

    def test_comments_become_those_of_doxygen(self):
        self.assertEqual(filtered(HEADER), FILTERED)

    @unittest.skipUnless(shutil.which("doxygen"), "doxygen is not installed")
    def test_every_header_has_a_page_and_nothing_warns(self):
        folder = self.enterContext(tempfile.TemporaryDirectory())
        settings = (TREE / "docs/Doxyfile").read_text() + f"\nOUTPUT_DIRECTORY = {folder}\n"

        made = subprocess.run(["doxygen", "-"], input=settings, cwd=TREE, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

        self.assertEqual((made.returncode, made.stdout), (0, ""))
        headers = {path.name for path in (TREE / "include/godwit").glob("*.h")}
        pages = {path.name for path in pathlib.Path(folder, "html").glob("*_8h.html")}
        self.assertEqual(pages, {name.replace("_", "__").replace(".h", "_8h.html") for name in headers})


if __name__ == "__main__":
    unittest.main()
