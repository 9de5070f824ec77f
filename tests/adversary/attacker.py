"""One attack, or several at once, as a process: prepares, says `ready`, begins at a byte on its input, and counts.

python -m tests.adversary.attacker NAME[,NAME...] TARGET PEERS SEED
"""

from __future__ import annotations

import importlib
import os
import sys

import trio

from tests.adversary import cores
from tests.adversary.attacks import modules
from tests.adversary.hostile import Crew
from tests.adversary.shares import together
from tests.adversary.target import Target

TELL_S = 0.5
NICE = 5  # for where they share cores with the victim


async def main(names: str, target: str, peers: str, seed: str) -> None:
    """Attack until the process is ended."""
    crew = Crew(Target.loads(target), int(peers), int(seed))
    attacks = [importlib.import_module(modules()[name]).attack for name in names.split(",")]
    async with trio.open_nursery() as nursery:
        nursery.start_soon(*((attacks[0], crew) if len(attacks) == 1 else (together, crew, attacks)))
        while True:
            await trio.sleep(TELL_S)
            crew.tell()


if __name__ == "__main__":
    cores.cross()
    os.nice(NICE)
    trio.run(main, *sys.argv[1:])
