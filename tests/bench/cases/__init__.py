"""What is measured, as declared cases."""

from __future__ import annotations

from typing import Final

from tests.bench.cases import audit, directory, discovery, musig2, policy, prices, rpc, signing, start
from tests.bench.harness import Case

CASES: Final[tuple[Case, ...]] = (
    *start.CASES,
    *signing.CASES,
    *rpc.CASES,
    *discovery.CASES,
    *directory.CASES,
    *musig2.CASES,
    *policy.CASES,
    *audit.CASES,
    *prices.CASES,
)
