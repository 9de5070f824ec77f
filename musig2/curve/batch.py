"""Verifying many signatures at once, on all cores: libsecp256k1 runs without the GIL."""

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from typing import Final

_CORES: Final = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
_SMALLEST_CHUNK: Final = 64
_CHUNKS_PER_WORKER: Final = 4

Triple = tuple[bytes, bytes, bytes]


def verify_all(
    verify: Callable[[bytes, bytes, bytes], bool], triples: Sequence[Triple], workers: int | None = None
) -> list[bool]:
    """One answer per (pubkey, msg, signature), in order. A task per signature would cost more than it saves."""
    workers = workers or _CORES
    size = max(_SMALLEST_CHUNK, -(-len(triples) // (workers * _CHUNKS_PER_WORKER)))

    def verify_chunk(start: int) -> list[bool]:
        return [verify(*triple) for triple in triples[start : start + size]]

    if workers == 1 or len(triples) <= size:
        return [verify(*triple) for triple in triples]
    with ThreadPoolExecutor(workers, "verify") as pool:
        return list(chain.from_iterable(pool.map(verify_chunk, range(0, len(triples), size))))
