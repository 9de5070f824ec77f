"""Memory is looked through every few seconds, not only when old rows are removed."""

from __future__ import annotations

import asyncio

import pytest

from daemon.store import Store
from daemon.upkeep import retention
from tests.daemon_ops.ops_world import SettableClock
from tests.daemon_ops.upkeep.test_clock_jumps import Place


class Looks:
    """Stands in for the collector; notes each question whether it is time."""

    def __init__(self) -> None:
        self.calm: list[bool] = []
        self.twice = asyncio.Event()

    def tidy(self, *, calm: bool) -> bool:
        self.calm.append(calm)
        if len(self.calm) == 2:
            self.twice.set()
        return False


async def test_memory_is_looked_through_again_and_again_before_old_rows_are_removed(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = Looks()
    monkeypatch.setattr(retention, "GARBAGE", looks)
    monkeypatch.setattr(retention, "TIDY_S", 0)
    place = Place(store, SettableClock())
    await place.start()

    await place.retention.start()
    await asyncio.wait_for(looks.twice.wait(), 10)
    await place.retention.stop()

    assert set(looks.calm) == {True}
