from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from p2p.compat import kad_host
from tests.discovery.discovery_world import World, a_world


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait longer for silent peers: the machine may stand still for seconds."""
    monkeypatch.setattr(kad_host, "ANSWER_S", 30.0)
    monkeypatch.setattr(kad_host, "REACH_S", 30.0)


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with a_world(tmp_path) as made:
        yield made
