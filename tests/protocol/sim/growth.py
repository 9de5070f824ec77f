"""How messages and time grow with the number of signers, on the in-memory network.

python -m tests.protocol.sim.growth [n ...]
"""

from __future__ import annotations

import sys
import time

from tests.protocol.sim.network import Weather
from tests.protocol.sim.world import World


def measure(n: int, scheme_name: str) -> tuple[dict[str, int], int, float]:
    """Frames by kind, virtual milliseconds until the last signer has the signature, and seconds of processor time."""
    world = World(n, scheme_name=scheme_name, weather=Weather(delay_ms=(1, 5)))
    begin = time.process_time()
    world.start()
    world.approve()
    while not all(node.machine.signatures for node in world.nodes):
        world.run(1)
    took = world.clock.mono_ms
    world.run(10_000)
    return dict(world.network.sent), took, time.process_time() - begin


def main(arguments: list[str]) -> None:
    sizes = [int(argument) for argument in arguments] or [2, 3, 5, 10, 20, 50, 100]
    titles = ("n", "frames", "per pair", "have", "virtual ms", "cpu s", "cpu ms/signer")
    print("scheme   " + " ".join(f"{title:>{len(title) + 3}}" for title in titles))
    for scheme_name in ("lotus", "bip340"):
        for n in sizes:
            sent, took, cpu = measure(n, scheme_name)
            frames = sum(sent.values())
            pair = frames / (n * (n - 1))
            have = sent.get("have", 0)
            figures = (str(n), str(frames), f"{pair:.1f}", str(have), str(took), f"{cpu:.2f}", f"{1000 * cpu / n:.1f}")
            columns = (f"{figure:>{len(title) + 3}}" for figure, title in zip(figures, titles, strict=True))
            print(f"{scheme_name:8} " + " ".join(columns))


if __name__ == "__main__":
    main(sys.argv[1:])
