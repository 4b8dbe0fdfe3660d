# SPDX-License-Identifier: Apache-2.0
"""The links and the transports that the demo knows, and what it asks the link emulator for."""

import dataclasses

# The client's command starts with the link's script, and its work this much later: by then the
# tunnel is up.
WARM_UP_SECONDS = 2

# The link that has an outage and an address change has them at these shares of the work.
OUTAGE_AT = 0.2
OUTAGE_SECONDS = 3
ADDRESS_CHANGE_AT = 0.6
# So that something is seen of the time between them.
MIN_SECONDS_WITH_OUTAGE = 10


@dataclasses.dataclass(frozen=True)
class Mark:
    """Something that happens to a link, in seconds of the work."""

    what: str
    at: float
    lasts: float = 0.0


@dataclasses.dataclass(frozen=True)
class Link:
    name: str
    title: str
    settings: str
    is_disturbed: bool = False

    def marks(self, seconds):
        if not self.is_disturbed:
            return []
        return [
            Mark("outage", OUTAGE_AT * seconds, OUTAGE_SECONDS),
            Mark("address change", ADDRESS_CHANGE_AT * seconds),
        ]

    def script(self, seconds):
        """For link_emulator's --link."""
        steps = [self.settings]
        for mark in self.marks(seconds):
            action = f"outage {mark.lasts:g}s" if mark.what == "outage" else "client-address next"
            steps.append(f"at {round(1000 * (WARM_UP_SECONDS + mark.at))}ms {action}")
        return "; ".join(steps)


@dataclasses.dataclass(frozen=True)
class Transport:
    name: str
    title: str
    congestion: str = ""  # Of the kernel's TCP; empty: what the system has.
    is_tunnel: bool = False


# A queue of one round trip at full rate: with less, TCP's window does not fill the link.
_BROADBAND = "rate 50mbit; queue 50ms; delay 25ms"

_LINKS = [
    Link("clean", "clean, 50 ms", _BROADBAND),
    Link("loss", "2 % loss, 50 ms", _BROADBAND + "; loss 2%"),
    Link("outage", "outage 3 s, new address", _BROADBAND, is_disturbed=True),
]
_MORE_LINKS = [
    Link("wifi", "bursty Wi-Fi, 30 ms", "rate 30mbit; queue 100ms; delay 15ms; jitter 8ms; burst-loss 0.5% 25%"),
    Link("loss5", "5 % loss, 50 ms", _BROADBAND + "; loss 5%"),
    Link("satellite", "satellite, 600 ms", "rate 20mbit; queue 600ms; delay 300ms"),
]
LINKS = {link.name: link for link in _LINKS + _MORE_LINKS}
DEFAULT_LINKS = [link.name for link in _LINKS]

TRANSPORTS = {
    transport.name: transport
    for transport in [
        Transport("tcp-cubic", "TCP cubic", congestion="cubic"),
        Transport("tcp-bbr", "TCP bbr", congestion="bbr"),
        Transport("tunnel", "godwit-tunnel", is_tunnel=True),
    ]
}
