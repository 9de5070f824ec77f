"""Searching the directory as it grows."""

from __future__ import annotations

import random
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

from daemon.discovery.directory.search import Query
from tests.bench.cases.discovery import running
from tests.bench.discovery_parts import PURPOSES, TYPES, put, quantile, resident_mib, signers
from tests.bench.harness import Case, Figure, Sample, Take

ASKED = 100  # of each kind


def questions(dice: random.Random) -> list[Callable[[], dict[str, Any]]]:
    """One of each combination of filters that clients use."""

    def amount() -> int:
        return int(10 ** dice.uniform(1, 13))

    return [
        dict,
        lambda: {"transaction_type": dice.choice(TYPES)},
        lambda: {"scheme": dice.choice(("lotus", "bip340"))},
        lambda: {"purpose": dice.choice((*PURPOSES, "unheard of"))},
        lambda: {"min_amount": (low := amount()), "max_amount": 10 * low},
        lambda: {"transaction_type": dice.choice(TYPES), "min_amount": amount(), "purpose": dice.choice(PURPOSES)},
        lambda: {"transaction_type": dice.choice(TYPES), "min_reputation": 50},
    ]


@asynccontextmanager
async def _search(folder: Path, small: bool, *, many: int) -> AsyncIterator[Take]:
    size = many // 10 if small else many
    await put(folder / "find.sqlite", signers(size, genuine=False))
    before = resident_mib()
    async with running(folder / "find.sqlite", "bench") as node:
        finding, dice = node.service._search, random.Random(3)

        async def take() -> Sample:
            slowest, every = 0.0, list[float]()
            for draw in questions(dice):
                times = []
                for _ in range(ASKED):
                    query, begun = Query(**draw()), time.perf_counter()
                    finding.find(query, limit=50, own=(), include_own=False)
                    times.append(1000 * (time.perf_counter() - begun))
                slowest, every = max(slowest, quantile(times, 0.5)), every + times
            return {
                "slowest filter": slowest,
                "99 of 100, any filter": quantile(every, 0.99),
                "memory": max(0.0, resident_mib() - before),
            }

        yield take


CASES = tuple(
    Case(
        f"directory-{many}",
        f"findAvailableSigners among {many:,}, inside the daemon: the filter with the slowest median, and the slow end",
        (
            Figure("slowest filter", "ms", aim=1),
            Figure("99 of 100, any filter", "ms", aim=6),
            Figure("memory", "MiB", aim=100),
        ),
        partial(_search, many=many),
        pairs=3,
        growth="directory",
        x=many,
    )
    for many in (1_000, 10_000, 100_000)
)
