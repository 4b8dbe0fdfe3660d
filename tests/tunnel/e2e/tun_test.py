#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""ping over --tun: both IP versions, both directions, packets as large as the interface takes."""

import os
import re
import sys
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import tunnel_lab


def why_no_tun():
    try:
        os.close(os.open("/dev/net/tun", os.O_RDWR))
    except OSError as error:
        return f"no interfaces for IP packets can be made here: {error}"
    return None


@unittest.skipIf(why_no_tun(), why_no_tun())
@tunnel_lab.needs("ping")
class TunTest(tunnel_lab.LabCase):
    def start(self, server_address, client_address):
        self.lab.start_server("--tun", "tun0", "--address", server_address)
        self.lab.start_client("--tun", "tun0", "--address", client_address)

    def ping(self, place, address, *flags):
        """Three answers come; some may be lost, or be late for ping, before."""
        place.check("ping", "-n", "-c", "3", "-i", "0.1", "-w", "30", *flags, address)

    def mtu(self, place):
        said = place.check("ip", "link", "show", "dev", "tun0")
        return int(re.search(r"mtu (\d+)", said).group(1))

    def test_ipv4(self):
        self.start("10.7.0.1/24", "10.7.0.2/24")

        self.ping(self.lab.client, "10.7.0.1")
        # Its address is known from the packets that it has sent.
        self.ping(self.lab.server, "10.7.0.2")

    def test_ipv6(self):
        self.start("fd07::1/64", "fd07::2/64")

        self.ping(self.lab.client, "fd07::1")
        self.ping(self.lab.server, "fd07::2")
        self.assertGreaterEqual(self.mtu(self.lab.client), 1280)

    def test_the_largest_packets_arrive(self):
        self.start("10.7.0.1/24", "10.7.0.2/24")
        self.ping(self.lab.client, "10.7.0.1")
        # What the path takes is found out by and by: 1,500 of the link less the headers around.
        self.lab.wait_for_status(lambda status: status["peers"][0]["mtu"] > 1400)
        mtu = self.mtu(self.lab.client)
        self.assertGreater(mtu, 1350)

        headers = 20 + 8
        self.ping(self.lab.client, "10.7.0.1", "-M", "do", "-s", mtu - headers)

    def test_nothing_from_outside_of_the_interfaces_network_gets_through(self):
        self.start("10.7.0.1/24", "10.7.0.2/24")
        self.ping(self.lab.client, "10.7.0.1")
        self.lab.client.check("ip", "address", "add", "10.8.0.2/32", "dev", "tun0")

        lost = self.lab.client.run("ping", "-n", "-c", "2", "-i", "0.05", "-W", "1", "-I", "10.8.0.2",
                                   "10.7.0.1")

        self.assertIn("100% packet loss", lost.stdout)
        self.ping(self.lab.client, "10.7.0.1")

    def test_a_server_reaches_nothing_of_a_client_but_the_interfaces_network(self):
        self.start("10.7.0.1/16", "10.7.0.2/24")
        self.ping(self.lab.client, "10.7.0.1")
        # Of the server's network, not of the client's: the server answers to it.
        self.lab.client.check("ip", "address", "add", "10.7.5.5/32", "dev", "tun0")

        lost = self.lab.client.run("ping", "-n", "-c", "2", "-i", "0.05", "-W", "1", "-I", "10.7.5.5",
                                   "10.7.0.1")

        self.assertIn("100% packet loss", lost.stdout)
        self.ping(self.lab.client, "10.7.0.1")

    def test_a_server_without_an_interface_says_what_to_add(self):
        server = self.lab.start_server()
        self.lab.start_client("--tun", "tun0", "--address", "10.7.0.2/24")

        self.lab.client.run("ping", "-n", "-c", "1", "-W", "1", "10.7.0.1")

        server.wait_for("add: --tun NAME --address CIDR")

    def test_a_name_in_use_is_one_clear_line(self):
        self.lab.start_server()
        self.lab.start_client("--tun", "tun0", "--address", "10.7.0.2/24")

        second = self.lab.client.run(*self.lab.client_command("--tun", "tun0", "--address", "10.7.0.3/24"))

        self.assertEqual(second.returncode, 2)
        self.assertRegex(second.stderr, r"^godwit-tunnel: .*tun0 is in use.*--tun\n\Z")


if __name__ == "__main__":
    tunnel_lab.main()
