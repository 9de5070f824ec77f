"""A network namespace in which all of 45.0.0.0/8 and 2a05::/16 is this machine: public addresses, so ranges count."""

from __future__ import annotations

import os
import sys

ENTERED = "ADVERSARY_NAMESPACE"
ENTER = (  # the library looks for an address of IPv6 that is not of lo
    "unshare",
    "--net",
    "--mount-proc",
    "--fork",
    "sh",
    "-c",
    "ip link set lo up && ip route add local 45.0.0.0/8 dev lo && ip -6 route add local 2a05::/16 dev lo"
    " && echo 1 > /proc/sys/net/ipv6/ip_nonlocal_bind && ip link add wire0 type bridge && ip link set wire0 up"
    ' && ip -6 address add 2a05::1/128 dev wire0 nodad && exec "$@"',
    "sh",
)


def enter(module: str) -> None:
    """Run this module again in there, with the same arguments; return where this is in there already."""
    if ENTERED in os.environ:
        return
    os.environ[ENTERED] = "1"
    os.execvp(ENTER[0], [*ENTER, sys.executable, "-m", module, *sys.argv[1:]])
