"""Ports for what is started later, or comes back at the same address: none that anybody else could get meanwhile.

Port 0 is right for who listens at once and once. A number got that way and bound later is not: the system gives the same
numbers to every outgoing connection and to every other port 0.
"""

import functools
import os
import re
import socket
from pathlib import Path

PORTS = range(10_000, 30_000)
"""Few programs listen there by themselves, and no common system takes port 0 from there."""

FEWEST = 1_000
"""A range that leaves less than this to us is one that covers everything."""

SLICES = 20
"""One for each of so many processes that test side by side."""

_EPHEMERAL = Path("/proc/sys/net/ipv4/ip_local_port_range")
"""First and last port that Linux gives to outgoing connections and for port 0 (ip-sysctl.txt of the kernel)."""


def outside(ephemeral: str) -> range:
    """Those of `PORTS` below the ephemeral range, or above it where there are more; all where there are too few."""
    if not ephemeral.strip():
        return PORTS
    low, high = (int(each) for each in ephemeral.split())
    below, above = range(PORTS.start, min(low, PORTS.stop)), range(max(high + 1, PORTS.start), PORTS.stop)
    best = max(below, above, key=len)
    return best if len(best) >= FEWEST else PORTS


def slice_for(worker: str, ports: range) -> range:
    """`worker` is xdist's name for the process, `gw0` and so on; empty outside of xdist, which has a slice of its own."""
    named = re.fullmatch(r"gw(\d+)", worker)
    number = 1 + int(named[1]) % (SLICES - 1) if named else 0
    size = len(ports) // SLICES
    return ports[number * size : (number + 1) * size]


class Ports:
    """Gives each once before any of them again."""

    def __init__(self, ports: range, first: int = 0) -> None:
        """Begins somewhere else for each `first`, so that two test runs at a time seldom want the same."""
        self._ports = ports
        self._next = first

    def take(self) -> int:
        for _ in self._ports:
            port = self._ports[self._next % len(self._ports)]
            self._next += 1
            if _is_free(port):
                return port
        raise AssertionError(f"every port from {self._ports.start} to {self._ports.stop - 1} is taken")


def free_port() -> int:
    """On 127.0.0.1, and nobody listens there until whoever asked does."""
    return _own().take()


@functools.cache
def _own() -> Ports:
    ephemeral = _EPHEMERAL.read_text() if _EPHEMERAL.exists() else ""
    own = slice_for(os.environ.get("PYTEST_XDIST_WORKER", ""), outside(ephemeral))
    return Ports(own, first=os.getpid() * 37)


def _is_free(port: int) -> bool:
    """Strictly: a port that was closed a moment ago is not, though who sets SO_REUSEADDR could have it."""
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
