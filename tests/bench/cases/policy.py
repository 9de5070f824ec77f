"""What policy and audit log cost a session, in processor time."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path

from tests.bench.harness import Case, Figure, Sample, Take


@asynccontextmanager
async def _policy(folder: Path, small: bool) -> AsyncIterator[Take]:
    """Three pairs of daemons take turns, a short block of sessions each."""
    # Not above: an older commit that lacks what they need can still be measured in the other cases.
    from tests.bench.policy_parts import RULES, PairOfDaemons, logs_nowhere
    from tests.signing.signing_world import World

    logs_nowhere()
    worlds = {name: World(folder / name) for name in ("nothing", "audit", "both")}
    pairs = {
        "neither": PairOfDaemons(worlds["nothing"], audit=False, rules=None),
        "audit log": PairOfDaemons(worlds["audit"], audit=True, rules=None),
        "audit log and policy": PairOfDaemons(worlds["both"], audit=True, rules=RULES),
    }
    numbers, names = count(), list(pairs)
    try:
        for pair in pairs.values():
            await pair.start()
            await pair.warm_up()

        async def take() -> Sample:
            first = next(numbers) % len(names)
            return {name: await pairs[name].block() for name in names[first:] + names[:first]}

        yield take
    finally:
        for world in worlds.values():
            await world.stop()


CASES = (
    Case(
        "policy",
        "processor per session and daemon, each session of a reviewed transaction; the floor has neither log nor rules",
        (Figure("audit log", "ms", "neither"), Figure("audit log and policy", "ms", "neither")),
        _policy,
        pairs=90,
    ),
)
