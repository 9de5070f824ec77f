"""An internet of network namespaces: hosts with public addresses, and homes behind routers that translate addresses.

Every public host and router has a range of its own, 11.N.0.0/16 of the wire that joins all; a home has 192.168.N.0/24.
"""

from __future__ import annotations

import os
import subprocess
from enum import StrEnum
from types import TracebackType
from typing import Self

from tests.namespaces.lab import NoLab, needs_tools, run

WAN, LAN = "wan0", "lan0"
ROUTER = """
table ip nat {{
    chain out {{
        type nat hook postrouting priority 100
        oifname "{wan}" masquerade{how}
    }}
}}
table ip door {{
    chain to_router {{
        type filter hook input priority 0; policy drop;
        iifname != "{wan}" accept
        ct state established,related accept
    }}
    chain to_home {{
        type filter hook forward priority 0; policy drop;
        iifname != "{wan}" accept
        ct state established,related accept
        ct status dnat accept
    }}
}}
"""
LOSSY = """
table inet line {{
    chain in {{
        type filter hook input priority 0
        meta iif != lo numgen random mod 100 < {percent} drop
    }}
}}
"""


class Nat(StrEnum):
    """How a router chooses the port of a connection that goes out."""

    CONE = "cone"  # that of the home, for every destination
    SYMMETRIC = "symmetric"  # a random one for each destination


class Internet:
    """Add hosts and homes inside the block; nothing is left when it ends."""

    def __init__(self, mtu: int = 1500) -> None:
        """Raises NoLab."""
        needs_tools()
        self._prefix = f"musigd-{os.getpid()}"
        self._switch = f"{self._prefix}-internet"
        self._mtu = mtu
        self._made: list[str] = []
        self._count = 0

    def __enter__(self) -> Self:
        try:
            self._namespace(self._switch)
            run("ip", "-n", self._switch, "link", "add", "name", "bridge0", "type", "bridge")
            run("ip", "-n", self._switch, "link", "set", "bridge0", "up")
        except subprocess.CalledProcessError as error:
            self.__exit__(None, None, None)
            raise NoLab(f"the kernel refused {' '.join(error.cmd)}: {error.stderr.strip()}") from error
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for name in self._made:
            subprocess.run(["ip", "netns", "delete", name], check=False, capture_output=True)

    def _namespace(self, name: str) -> str:
        run("ip", "netns", "add", name)
        self._made.append(name)
        run("ip", "-n", name, "link", "set", "lo", "up")
        return name

    def within(self, host: str) -> list[str]:
        """What a command has to begin with to run on that host."""
        return ["ip", "netns", "exec", f"{self._prefix}-{host}"]

    def host(self, name: str) -> str:
        """A host on the wire; returns its public address."""
        self._count += 1
        made, address = self._namespace(f"{self._prefix}-{name}"), f"11.{self._count}.0.1"
        run(
            *f"ip -n {made} link add name {WAN} mtu {self._mtu} type veth peer name {name} netns {self._switch}".split()
        )
        run(*f"ip -n {self._switch} link set {name} master bridge0 up".split())
        run(*f"ip -n {made} address add {address}/8 dev {WAN}".split())
        run("ip", "-n", made, "link", "set", WAN, "up")
        return address

    def router(self, name: str, kind: Nat) -> str:
        """A router without anybody behind it yet; returns its public address. It answers nobody who knocks."""
        address = self.host(name)
        self._translate(name, WAN, kind)
        return address

    def inner_router(self, name: str, router: str) -> None:
        """A router at home behind another one."""
        self.at_home(name, router)
        self._translate(name, LAN, Nat.CONE)

    def _translate(self, name: str, wan: str, kind: Nat) -> None:
        within = self.within(name)
        how = " random,fully-random" if kind is Nat.SYMMETRIC else ""
        run(*within, "sysctl", "-qw", "net.ipv4.ip_forward=1")
        run(*within, "nft", "-f", "-", given=ROUTER.format(wan=wan, how=how))

    def at_home(self, name: str, router: str) -> str:
        """A host behind that router; one that was elsewhere before has left there, and has another address now.

        Returns the router's address there.
        """
        made, gateway = f"{self._prefix}-{name}", f"{self._prefix}-{router}"
        if made not in self._made:
            self._namespace(made)
        else:
            run("ip", "-n", made, "link", "delete", LAN)
        self._count += 1
        lan, port = f"192.168.{self._count}", f"lan{self._count}"
        run(*f"ip -n {made} link add name {LAN} mtu {self._mtu} type veth peer name {port} netns {gateway}".split())
        run(*f"ip -n {gateway} address add {lan}.1/24 dev {port}".split())
        run(*f"ip -n {gateway} link set {port} mtu {self._mtu} up".split())
        run(*f"ip -n {made} address add {lan}.2/24 dev {LAN}".split())
        run("ip", "-n", made, "link", "set", LAN, "up")
        run(*f"ip -n {made} route add default via {lan}.1".split())
        return f"{lan}.1"

    def lose(self, percent: int, *hosts: str) -> None:
        """These lose this share of the packets that reach them, from now on."""
        for host in hosts:
            run(*self.within(host), "nft", "-f", "-", given=LOSSY.format(percent=percent))
