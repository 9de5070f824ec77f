"""The stored webhooks, and how far each was delivered."""

from __future__ import annotations

import json
import secrets
import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from daemon.clock import WallClock
from daemon.errors import NotFound, Refused
from daemon.events import EventLog
from daemon.store import Store
from rpc.caller import OWNER, Caller

MOST: Final = 20
MOST_OF_ONE: Final = 5  # of a token that does not administer the daemon
_COLUMNS: Final = "id, token, url, events, filter, next_seq, log_id, created_at"


class TooManyWebhooks(Refused):
    """There is no room for another one."""

    reason = "too_many"

    def __init__(self, most: int) -> None:
        whose = "" if most == MOST else " of this token"
        super().__init__(f"There are {most} webhooks{whose}, which is the most: deleteWebhook makes room.")


@dataclass(frozen=True, slots=True)
class Webhook:
    """One webhook.

    `events`: patterns, None for all; `filter`: members as on the wire; `token`: whose rights decide what it is sent.
    """

    hook_id: bytes
    token: str
    url: str
    events: tuple[str, ...] | None
    filter: dict[str, str] | None
    next_seq: int
    log_id: str
    created_at: int


class Webhooks:
    """The table of webhooks."""

    def __init__(self, *, store: Store, clock: WallClock, events: EventLog) -> None:
        self._store = store
        self.clock = clock
        self.events = events

    def all(self) -> Sequence[Webhook]:
        """All webhooks, oldest first."""
        query = f"SELECT {_COLUMNS} FROM webhooks ORDER BY created_at, id"  # noqa: S608  # the columns above
        return [_hook(row) for row in self._store.read(lambda conn: conn.execute(query).fetchall())]

    async def add(
        self, caller: Caller, url: str, events: Sequence[str] | None, narrow: dict[str, str] | None
    ) -> Webhook:
        """Store a webhook that gets events from now on. Raises TooManyWebhooks."""
        asked = None if events is None else tuple(events)
        place = (self.events.next_seq, self.events.log_id)
        hook = Webhook(secrets.token_bytes(16), caller.token_id, url, asked, narrow, *place, self.clock.wall_ms())
        most = MOST if caller.over_all else MOST_OF_ONE
        await self._store.write(partial(_insert, hook=hook, most_of_one=most))
        return hook

    async def remove(self, caller: Caller, hook_id: bytes, also: Callable[[sqlite3.Connection], None]) -> None:
        """Raises NotFound, for those of others too. `also` runs in the same transaction."""
        whose = "" if caller.over_all else " AND token = ?"
        row = (hook_id,) if caller.over_all else (hook_id, caller.token_id)

        def delete(conn: sqlite3.Connection) -> None:
            if not conn.execute(f"DELETE FROM webhooks WHERE id = ?{whose}", row).rowcount:  # noqa: S608  # as above
                raise NotFound("webhook")
            also(conn)

        await self._store.write(delete)

    async def ended_with_its_token(self, hook: Webhook) -> bool:
        """Delete it if its token is gone for good; returns whether it was."""
        if hook.token == OWNER:
            return False
        query = "DELETE FROM webhooks WHERE id = ? AND token NOT IN (SELECT token_id FROM tokens)"
        return await self._store.write(lambda conn: conn.execute(query, (hook.hook_id,)).rowcount == 1)

    async def told_to(self, hook_id: bytes, next_seq: int) -> None:
        """Store that everything before `next_seq` of the present log was delivered."""
        query = "UPDATE webhooks SET next_seq = ?, log_id = ? WHERE id = ?"
        row = (next_seq, self.events.log_id, hook_id)
        await self._store.write(lambda conn: conn.execute(query, row))


def _insert(conn: sqlite3.Connection, hook: Webhook, most_of_one: int) -> None:
    of_all, of_one = conn.execute(
        "SELECT count(*), coalesce(sum(token = ?), 0) FROM webhooks", (hook.token,)
    ).fetchone()
    if of_one >= most_of_one:
        raise TooManyWebhooks(most_of_one)
    if of_all >= MOST:
        raise TooManyWebhooks(MOST)
    events = None if hook.events is None else json.dumps(hook.events)
    narrow = None if hook.filter is None else json.dumps(hook.filter)
    row = (hook.hook_id, hook.token, hook.url, events, narrow, hook.next_seq, hook.log_id, hook.created_at)
    conn.execute(f"INSERT INTO webhooks ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)", row)  # noqa: S608  # as above


def _hook(row: tuple[bytes, str, str, str | None, str | None, int, str, int]) -> Webhook:
    hook_id, token, url, events, narrow, next_seq, log_id, created_at = row
    patterns = None if events is None else tuple(json.loads(events))
    members = None if narrow is None else json.loads(narrow)
    return Webhook(hook_id, token, url, patterns, members, next_seq, log_id, created_at)
