"""Attacks on a real daemon, each beside an honest pair that signs all the time.

    python -m tests.adversary [--seconds 15] [--peers 12] [--seed 1] [--tree FOLDER] [--json FILE] [--public] [NAME...]

For each attack: undisturbed values first, then those under attack. The attackers have a core of their own (cores.py).
`--tree`: another checkout with a .venv, whose daemon is attacked instead of this one's. `--public`: in a network
namespace with public addresses, so that what is counted by address range counts (needs root, unshare, ip).
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from tests.adversary import cores
from tests.adversary.attacks import modules
from tests.adversary.measure import Measured, measure

LOOPBACK, PUBLIC = "127.0.0.1", "45.0.0.1"
ENTERED = "ADVERSARY_NAMESPACE"
ENTER = ("unshare", "--net", "sh", "-c", 'ip link set lo up && ip route add local 45.0.0.0/8 dev lo && exec "$@"', "sh")


def rank(values: Sequence[float], share: float) -> float:
    """The value that this share of the values does not exceed."""
    return sorted(values)[min(len(values) - 1, int(share * len(values)))] if values else float("nan")


def spread(values: Sequence[float]) -> str:
    """p50, p99 and the longest, in seconds, and how many there were."""
    marks = (rank(values, 0.5), rank(values, 0.99), max(values, default=float("nan")))
    return " / ".join(f"{mark:.3f}" for mark in marks) + f" s of {len(values)}"


def show(found: Measured) -> None:
    """The result of one attack as a paragraph."""
    calm, seen = found.calm, found.seen
    print(f"{found.attack}{'' if found.alive else '   THE VICTIM IS DEAD'}")
    print(f"  honest p50 / p99 / longest   {spread(found.attacked)}   undisturbed: {spread(found.undisturbed)}")
    late = f"{max(found.newcomers):.2f} s" if found.newcomers else "none asked"
    before = max(found.newcomers_before, default=float("nan"))
    print(f"  slowest new creator seen     {late} of {len(found.newcomers)}   undisturbed: {before:.2f} s")
    print(f"  /livez, worst                {max(seen.livez_s):.2f} s   undisturbed: {max(calm.livez_s):.2f} s")
    use = f"{100 * seen.cpu_s / seen.seconds:.0f} %   undisturbed: {100 * calm.cpu_s / calm.seconds:.0f} %"
    print(f"  processor of the victim      {use}")
    print(f"  memory of the victim         +{seen.growth:.0f} MiB")
    print(f"  attackers                    {found.counted}", flush=True)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="tests.adversary", description="Attack a real daemon and measure.")
    parser.add_argument("--seconds", type=float, default=15)
    parser.add_argument("--peers", type=int, default=12)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--tree", type=Path, help="a checkout with a .venv whose daemon is attacked")
    parser.add_argument("--json", type=Path, help="where the figures go, one line for each attack")
    parser.add_argument("--public", action="store_true", help="give everybody a public address, in a namespace")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"all of them unless given: {', '.join(modules())}")
    return parser.parse_args()


async def main() -> int:
    """Run the named attacks one after the other; 1 if one of them ended the victim."""
    asked = arguments()
    unknown = sorted(set(asked.names) - set(modules()))
    if unknown:
        print(f"there is no attack {unknown[0]}; there are: {', '.join(modules())}", file=sys.stderr)
        return 2
    if asked.public and ENTERED not in os.environ:
        os.environ[ENTERED] = "1"
        os.execvp("unshare", [*ENTER, sys.executable, "-m", "tests.adversary", *sys.argv[1:]])
    python = str(asked.tree.absolute() / ".venv" / "bin" / "python") if asked.tree else sys.executable
    print(cores.split(), flush=True)
    dead = 0
    for name in asked.names or modules():
        print(f"load {os.getloadavg()[0]:.1f}: ", end="")
        with tempfile.TemporaryDirectory() as folder:
            found = await measure(
                Path(folder),
                name,
                python=python,
                address=PUBLIC if asked.public else LOOPBACK,
                seconds=asked.seconds,
                peers=asked.peers,
                seed=asked.seed,
            )
        show(found)
        dead += not found.alive
        if asked.json:
            with asked.json.open("a") as file:
                file.write(json.dumps(asdict(found)) + "\n")
    return 1 if dead else 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
