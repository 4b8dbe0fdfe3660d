#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""rsync copies a tree over a link that loses 2 % of the packets, while the client's address changes
three times, and all of it is the same at the other end.

With a number as the last argument: so many megabytes.
"""

import os
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import tunnel_lab

MEGABYTES = int(sys.argv[3]) if len(sys.argv) > 3 else 20
FOLDERS = 10
MODULE_PORT = 8730
ADDRESS_CHANGES = 3


@tunnel_lab.needs("rsync", "unshare")
class RsyncTest(tunnel_lab.LabCase):
    LINK = "delay 2ms; loss 2%; rate 50mbit; queue 50ms"
    SECONDS = tunnel_lab.CASE_SECONDS + 2 * MEGABYTES

    def make_tree(self):
        tree = self.lab.folder / "tree"
        for i in range(FOLDERS):
            folder = tree / f"folder{i}"
            folder.mkdir(parents=True)
            # One large file, some middling ones, many small ones.
            for j, size in enumerate([500_000, 100_000, 100_000] + [10_000] * 30):
                (folder / f"file{j}").write_bytes(os.urandom(size * MEGABYTES // 10))
        return tree

    def start_rsync(self, tree):
        file = self.lab.folder / "rsyncd.conf"
        file.write_text(f"port = {MODULE_PORT}\naddress = 127.0.0.1\nuse chroot = false\n"
                        f"[tree]\npath = {tree}\nread only = true\n")
        # Nobody in particular: as root, it would want to become somebody else.
        server = self.lab.server.start("unshare", "-U", "rsync", "--daemon", "--no-detach",
                                       f"--config={file}")
        self.lab.server.wait_for_port(MODULE_PORT, server)

    def hashes(self, tree):
        return {str(path.relative_to(tree)): tunnel_lab.hash_of(path)
                for path in sorted(tree.rglob("*")) if path.is_file()}

    def test_a_tree_arrives_whole(self):
        tree = self.make_tree()
        self.start_rsync(tree)
        self.lab.start_server("--allow-target", f"127.0.0.1:{MODULE_PORT}")
        (port,) = self.lab.client.free_ports(1)
        self.lab.start_client("-L", f"{port}:127.0.0.1:{MODULE_PORT}")
        copy = self.lab.folder / "copy"

        began = time.monotonic()
        rsync = self.lab.client.start("rsync", "--recursive", "--times", f"rsync://127.0.0.1:{port}/tree/",
                                      f"{copy}/")
        for i in range(ADDRESS_CHANGES):
            some = (i + 1) * MEGABYTES * 1_000_000 // (ADDRESS_CHANGES + 1)
            self.lab.wait_for_status(lambda status, some=some: status["bytes_from_peers"] > some
                                     or rsync.process.poll() is not None,
                                     seconds=self.SECONDS)
            self.assertIsNone(rsync.process.poll(), rsync.said())
            self.lab.move_client()
        self.assertEqual(rsync.wait(self.SECONDS), 0, rsync.said())
        print(f"{MEGABYTES} MB in {time.monotonic() - began:.1f} s", file=sys.stderr)

        self.assertEqual(self.hashes(copy), self.hashes(tree))
        self.assertEqual(self.lab.status("server")["connections"], 1)
        self.assertGreaterEqual(self.lab.status("server")["peers"][0]["path_changes"], 1)


if __name__ == "__main__":
    tunnel_lab.main()
