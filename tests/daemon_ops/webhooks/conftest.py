"""A receiver and an event log for each test."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from daemon.events import EventLog
from daemon.store import Store
from tests.daemon_ops.webhooks.hook_world import Receiver, event_log, receiving


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with receiving() as made:
        yield made


@pytest.fixture
async def events(store: Store) -> EventLog:
    return await event_log(store)
