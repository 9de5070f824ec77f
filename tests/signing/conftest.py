"""Worlds of daemons that are stopped at the end of each test."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from tests.signing.signing_world import World


@pytest.fixture
async def make_world(tmp_path: Path) -> AsyncIterator[Callable[..., World]]:
    made: list[World] = []

    def make(**settings: Any) -> World:
        made.append(World(tmp_path / f"w{len(made)}", **settings))
        return made[-1]

    yield make
    for world in made:
        await world.stop()


@pytest.fixture
def world(make_world: Callable[..., World]) -> World:
    return make_world()
