"""Attacks on a real daemon, each beside an honest pair that signs all the time.

    python -m tests.adversary [--seconds 15] [--minutes 24] [--tree DIR] [--json FILE] [--public|--ipv6] [NAME...]

For each attack: undisturbed values for so many seconds first, then as long those under attack. `--minutes`: what all of
them together may take; of that each gets an equal part of what is left. An attack that cannot be measured is noted, and
the next is begun. The attackers have a core of their own (cores.py). tests.adversary.table makes a table of FILE.
`--tree`: another checkout with a .venv, whose daemon is attacked instead of this one's. `--public`, `--ipv6`: in a
network namespace with public addresses, so that what is counted by address range counts (needs root, unshare, ip).
"""

from __future__ import annotations

import argparse
import asyncio
import json
import math
import os
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from tests.adversary import cores, namespace
from tests.adversary.attacks import modules
from tests.adversary.measure import Measured, measure
from tests.adversary.table import rank

LOOPBACK, PUBLIC, IPV6 = "127.0.0.1", "45.0.0.1", "2a05::1"
AROUND_S = 6.0  # what an attack takes besides what is measured; the longest so far counts
LONGEST_AROUND_S = 90.0
LEAST_S = 3.0


def spread(values: Sequence[float]) -> str:
    """p50, p99 and the longest, in seconds, and how many there were."""
    marks = (rank(values, 0.5), rank(values, 0.99), max(values, default=float("nan")))
    return " / ".join(f"{mark:.3f}" for mark in marks) + f" s of {len(values)}"


def show(found: Measured) -> None:
    """The result of one attack as a paragraph."""
    if found.failed:
        print(f"{found.attack}   NOT MEASURED: {found.failed}", flush=True)
        return
    print(f"{found.attack}{'' if found.alive else '   THE VICTIM IS DEAD'}")
    calm, seen = found.calm, found.seen
    print(f"  honest p50 / p99 / longest   {spread(found.attacked)}   undisturbed: {spread(found.undisturbed)}")
    late = f"{max(found.newcomers):.2f} s" if found.newcomers else "none asked"
    before = max(found.newcomers_before, default=float("nan"))
    print(f"  slowest new creator seen     {late} of {len(found.newcomers)}   undisturbed: {before:.2f} s")
    print(f"  /livez, worst                {max(seen.livez_s):.2f} s   undisturbed: {max(calm.livez_s):.2f} s")
    use = f"{100 * seen.cpu_s / seen.seconds:.0f} %   undisturbed: {100 * calm.cpu_s / calm.seconds:.0f} %"
    print(f"  processor of the victim      {use}")
    print(f"  memory of the victim         +{seen.growth:.0f} MiB; of the kernel for TCP +{seen.kernel:.0f} MiB")
    print(f"  attackers                    {found.counted}", flush=True)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="tests.adversary", description="Attack a real daemon and measure.")
    parser.add_argument("--seconds", type=float, default=15, help="of each attack, and as many before it")
    parser.add_argument("--minutes", type=float, default=math.inf, help="all attacks together take no longer")
    parser.add_argument("--peers", type=int, default=12)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--tree", type=Path, help="a checkout with a .venv whose daemon is attacked")
    parser.add_argument("--json", type=Path, help="where the figures go, one line for each attack")
    places = parser.add_mutually_exclusive_group()
    places.add_argument("--public", action="store_true", help="give everybody a public address, in a namespace")
    places.add_argument("--ipv6", action="store_true", help="the same with addresses of IPv6")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"all of them unless given: {', '.join(modules())}")
    return parser.parse_args()


def in_words(error: BaseException) -> str:
    """The first error of a group of them, in a line."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return " ".join(f"{type(error).__name__}: {error}".replace("|", "/").split())[:200]


class Measurements:
    """Measures one attack after the other."""

    def __init__(self, asked: argparse.Namespace) -> None:
        self._asked = asked
        self._until = time.monotonic() + 60 * asked.minutes
        self._around_s = AROUND_S
        tree = asked.tree.absolute() if asked.tree else Path.cwd()
        self._python = str(tree / ".venv" / "bin" / "python") if asked.tree else sys.executable
        words = ("git", "-C", str(tree), "rev-parse", "--short=8", "HEAD")
        self._commit = subprocess.run(words, capture_output=True, text=True, check=False).stdout.strip()

    def _seconds(self, left: int) -> float:
        """Of the next attack, where so many are left."""
        part = (self._until - time.monotonic()) / left - self._around_s
        return min(float(self._asked.seconds), max(LEAST_S, part / 2))

    async def one(self, name: str, left: int) -> Measured:
        """Measure an attack; what prevents it is in the result."""
        began, seconds = time.monotonic(), self._seconds(left)
        try:
            async with asyncio.timeout(LONGEST_AROUND_S + 2 * seconds):
                with tempfile.TemporaryDirectory() as folder:
                    found = await measure(
                        Path(folder),
                        name,
                        python=self._python,
                        address=PUBLIC if self._asked.public else IPV6 if self._asked.ipv6 else LOOPBACK,
                        seconds=seconds,
                        peers=self._asked.peers,
                        seed=self._asked.seed,
                    )
        except Exception as error:  # whatever it is, the others can be measured
            traceback.print_exception(error)
            return Measured(name, commit=self._commit, load=os.getloadavg()[0], failed=in_words(error))
        self._around_s = max(self._around_s, time.monotonic() - began - 2 * seconds)
        found.commit = self._commit
        return found


async def main() -> int:
    """Run the named attacks one after the other; 1 if one of them ended the victim, or could not be measured."""
    asked = arguments()
    unknown = sorted(set(asked.names) - set(modules()))
    if unknown:
        print(f"there is no attack {unknown[0]}; there are: {', '.join(modules())}", file=sys.stderr)
        return 2
    if asked.public or asked.ipv6:
        namespace.enter("tests.adversary")
    print(cores.split(), flush=True)
    names = asked.names or list(modules())
    measurements, bad = Measurements(asked), 0
    for number, name in enumerate(names):
        print(f"load {os.getloadavg()[0]:.1f}: ", end="", flush=True)
        found = await measurements.one(name, len(names) - number)
        show(found)
        bad += bool(found.failed) or not found.alive
        if asked.json:
            asked.json.parent.mkdir(parents=True, exist_ok=True)
            with asked.json.open("a") as file:
                file.write(json.dumps(asdict(found)) + "\n")
    return 1 if bad else 0


if __name__ == "__main__":
    for number in (signal.SIGINT, signal.SIGTERM):  # so that either ends the daemons too
        signal.signal(number, signal.default_int_handler)
    sys.exit(asyncio.run(main()))
