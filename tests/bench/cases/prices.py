"""What each kind of work for a peer costs a daemon, beside the prices that are charged."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path

from tests.bench.harness import Case, Figure, Sample, Take
from tests.bench.price_ways import WAYS, price_of


@asynccontextmanager
async def _prices(folder: Path, small: bool) -> AsyncIterator[Take]:
    """A daemon and a peer for each sample; small is as large."""
    numbers = count()

    async def take() -> Sample:
        root = folder / str(next(numbers))
        root.mkdir()
        words = [sys.executable, "-m", "tests.bench.price_meter", str(root)]
        process = await asyncio.create_subprocess_exec(*words, stdout=asyncio.subprocess.PIPE)
        said, _ = await process.communicate()
        assert process.returncode == 0, "the meter failed"
        sample: Sample = json.loads(said)
        return sample

    yield take


CASES = (
    Case(
        "prices",
        "what work for a peer costs a daemon, by the way of asking for it; the floor is the price that is charged",
        tuple(Figure(way, "us", price_of(way), aim=1.25) for way in WAYS),
        _prices,
        pairs=3,
        warmup=0,
    ),
)
