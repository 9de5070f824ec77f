"""Machines of their own on one switch, as network namespaces: packets can be lost between them as on a bad line."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from types import TracebackType
from typing import Self

WIRE = "wire0"
LOSSY = """
table inet line {{
    counter seen {{ }}
    counter lost {{ }}
    chain in {{
        type filter hook input priority 0
        iifname "{wire}" counter name "seen"
        iifname "{wire}" numgen random mod 100 < {percent} counter name "lost" drop
    }}
}}
"""


class NoLab(Exception):
    """This machine cannot make namespaces; the sentence says what it lacks."""


def needs_tools() -> None:
    """Raises NoLab."""
    lacking = [tool for tool in ("ip", "nft") if shutil.which(tool) is None]
    if os.geteuid() != 0 or lacking:
        raise NoLab("it needs root, ip (package iproute2) and nft (package nftables)")


class Lab:
    """`count` machines from 10.77.0.1 on; leave the block and nothing of it is left."""

    def __init__(self, count: int) -> None:
        """Raises NoLab."""
        needs_tools()
        self._switch = f"musigd-{os.getpid()}-switch"
        self.machines = [f"musigd-{os.getpid()}-{number}" for number in range(1, count + 1)]

    def __enter__(self) -> Self:
        try:
            self._build()
        except subprocess.CalledProcessError as error:
            self._tear_down()
            raise NoLab(f"the kernel refused {' '.join(error.cmd)}: {error.stderr.strip()}") from error
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._tear_down()

    @staticmethod
    def address(machine: int) -> str:
        """Of the machine with this index."""
        return f"10.77.0.{machine + 1}"

    def within(self, machine: int) -> list[str]:
        """What a command has to begin with to run on that machine."""
        return ["ip", "netns", "exec", self.machines[machine]]

    def lose(self, percent: int) -> None:
        """Every machine loses this share of the packets that reach it, from now on."""
        for index in range(len(self.machines)):
            rules = LOSSY.format(wire=WIRE, percent=percent)
            run(*self.within(index), "nft", "-f", "-", given=rules)

    def packets(self) -> tuple[int, int]:
        """How many have reached the machines since, and how many of these were lost."""
        counted = {"seen": 0, "lost": 0}
        for index in range(len(self.machines)):
            said = json.loads(run(*self.within(index), "nft", "-j", "list", "counters"))
            for each in said["nftables"]:
                if "counter" in each:
                    counted[each["counter"]["name"]] += each["counter"]["packets"]
        return counted["seen"], counted["lost"]

    def _build(self) -> None:
        run("ip", "netns", "add", self._switch)
        run("ip", "-n", self._switch, "link", "add", "name", "bridge0", "type", "bridge")
        run("ip", "-n", self._switch, "link", "set", "bridge0", "up")
        for index, machine in enumerate(self.machines):
            port = f"port{index}"
            run("ip", "netns", "add", machine)
            run(*f"ip -n {machine} link add name {WIRE} type veth peer name {port} netns {self._switch}".split())
            run(*f"ip -n {self._switch} link set {port} master bridge0 up".split())
            run(*f"ip -n {machine} address add {self.address(index)}/24 dev {WIRE}".split())
            run("ip", "-n", machine, "link", "set", WIRE, "up")
            run("ip", "-n", machine, "link", "set", "lo", "up")

    def _tear_down(self) -> None:
        for name in (*self.machines, self._switch):
            subprocess.run(["ip", "netns", "delete", name], check=False, capture_output=True)


def run(*command: str, given: str | None = None) -> str:
    """What it printed; CalledProcessError if it fails."""
    return subprocess.run(command, check=True, capture_output=True, text=True, input=given).stdout
