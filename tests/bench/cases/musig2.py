"""The cryptography beside bare calls into the same library."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

from musig2 import scheme
from tests.bench.cases.musig2_bare import BareBip340, BareLotus, operations, threads
from tests.bench.harness import Case, Figure, Sample, Take

OPERATIONS = (
    *(f"key aggregation, n = {n}" for n in (2, 10, 100)),
    "nonce generation",
    "nonce processing",
    "partial verification",
    "signature verification",
)
LEAST_THREADS = {"bip340": 1.5, "lotus": 1.3}
MANY, MANY_SMALL = 10_000, 1_000


@asynccontextmanager
async def _beside(folder: Path, small: bool, *, name: str, bare: Any) -> AsyncIterator[Take]:
    used = scheme(name)

    async def take() -> Sample:
        sample: dict[str, float] = {}
        for operation, (ours, theirs) in operations(used, bare()).items():
            sample |= {operation: ours, f"bare {operation}": theirs}
        one, many = threads(used, MANY_SMALL if small else MANY)
        return {**sample, "verify_many": many, "one thread": one}

    yield take


CASES = tuple(
    Case(
        f"musig2-{name}",
        f"{name}: each operation; the floor is bare calls into libsecp256k1; of verify_many, one thread",
        (
            *(Figure(operation, "us", f"bare {operation}", aim=1.5) for operation in OPERATIONS),
            Figure("verify_many", "per s", "one thread", aim=LEAST_THREADS[name], more=True),
        ),
        partial(_beside, name=name, bare=bare),
        pairs=7,
    )
    for name, bare in (("bip340", BareBip340), ("lotus", BareLotus))
)
