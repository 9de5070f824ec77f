"""Changes of keys, lock, tokens and bans emit events, in the commit of the change if there is one."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from daemon.access.tokens import Tokens
from daemon.api.keys import KeyMethods
from daemon.events import EventLog
from daemon.keys.keystore import Keystore
from daemon.keys.lock_events import LockEvents
from daemon.peers.bans import Bans
from daemon.store import Store, StoreFull
from musig2.protocol.records.peers import peer_of, peer_text
from rpc.caller import owner
from rpc.events.filter import Selection
from rpc.models import keys as models
from rpc.models.wire import NoParamsChange
from rpc.ports import LoggedEvent
from rpc.server.auth import Authenticator
from tests.daemon_ops.ops_world import SECRET, SettableClock, generated_passphrase, secret_bytes, started
from tests.rpc.secret_params import as_received


class Told:
    """A keystore and tokens that share one event log."""

    def __init__(self, store: Store, keystore: Keystore, events: EventLog) -> None:
        self.clock = SettableClock()
        self.store, self.keystore, self.events = store, keystore, events
        self.tokens = Tokens(store=store, clock=self.clock, events=events)
        self.locks = LockEvents(store=store, events=events, keystore=keystore)
        self.keys = KeyMethods(
            keystore=keystore, tokens=self.tokens, paused=lambda keys: None, lock_told=self.locks.told
        )

    def since(self, seq: int = 1) -> list[tuple[str, dict[str, Any]]]:
        return [(event.event, dict(event.data)) for event in self.events.read(seq, 100)]

    def last(self) -> tuple[str, dict[str, Any]]:
        return self.since()[-1]


async def made(store: Store, folder: Path) -> Told:
    events = EventLog(store=store, clock=SettableClock())
    await events.start()
    told = Told(store, await started(store, folder, events=events), events)
    await told.tokens.start()
    await told.locks.start()
    return told


@pytest.fixture
async def told(store: Store, tmp_path: Path) -> Told:
    return await made(store, tmp_path)


async def test_creating_and_importing_a_key_emit_an_event(told: Told) -> None:
    key = (await told.keystore.create("lotus", "savings")).pubkey.hex()
    named = {"publicKey": key, "publicKeys": [key]}
    assert told.last() == ("key:created", {**named, "scheme": "lotus", "label": "savings", "imported": False})
    await told.keystore.import_key(secret_bytes(SECRET), "bip340")
    assert told.last()[1]["imported"] is True


async def test_pausing_and_resuming_emit_one_event_with_the_reason(told: Told) -> None:
    info = await told.keystore.create("lotus")
    for _ in range(2):
        await told.keystore.pause(info.pubkey)
    await told.keystore.resume(info.pubkey)
    await told.keystore.pause(info.pubkey, "key_conflict")
    named = {"publicKey": info.pubkey.hex(), "publicKeys": [info.pubkey.hex()]}
    assert told.since(2) == [
        ("key:paused", named),
        ("key:resumed", named),
        ("key:paused", {**named, "reason": "key_conflict"}),
    ]


async def test_lock_and_unlock_emit_their_event_before_the_answer(told: Told, tmp_path: Path) -> None:
    passphrase = generated_passphrase(tmp_path)
    await told.keys.lock(owner(), NoParamsChange())
    assert told.last() == ("node:locked", {})
    params = as_received({"passphrase": passphrase, "durationMs": 60_000})
    await told.keys.unlock(owner(), models.Unlock.model_validate(params))
    assert told.last() == ("node:unlocked", {"until": told.clock.now_ms + 60_000})
    told.keystore.stop()


async def test_a_lock_by_the_timer_emits_an_event(told: Told, tmp_path: Path) -> None:
    told.keystore.lock()
    await told.keystore.unlock(secret_bytes(generated_passphrase(tmp_path)), 1)
    async with asyncio.timeout(180):
        while len(told.since()) < 3:
            await told.events.wait(told.events.next_seq)
    assert [name for name, _ in told.since()] == ["node:locked", "node:unlocked", "node:locked"]


async def test_a_restart_emits_an_event_only_if_the_lock_changed(told: Told, tmp_path: Path) -> None:
    assert told.since() == []
    told.keystore.lock()
    await told.locks.told()
    assert (await made(told.store, tmp_path)).last() == ("node:unlocked", {})
    again = await made(told.store, tmp_path)
    assert [name for name, _ in again.since()] == ["node:locked", "node:unlocked"]
    await again.keystore.change_passphrase(secret_bytes(generated_passphrase(tmp_path)), secret_bytes("battery staple"))
    assert again.last() == ("node:passphrase-changed", {})
    assert (await made(told.store, tmp_path)).last() == ("node:locked", {})


async def test_keys_lock_though_the_event_cannot_be_stored(told: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    async def full(work: object) -> None:
        raise StoreFull("no space")

    monkeypatch.setattr(told.store, "write", full)
    assert (await told.keys.lock(owner(), NoParamsChange())).locked


async def test_tokens_emit_events_when_made_revoked_and_expired(told: Told) -> None:
    key = (await told.keystore.create("lotus")).pubkey
    in_a_minute = told.clock.now_ms + 60_000
    first, _ = await told.tokens.create(["sign"], [key], create_key=False, label="phone", expires_at=in_a_minute)
    second, _ = await told.tokens.create(["read"], None, create_key=False, label="", expires_at=None)
    await told.tokens.revoke(second)
    told.clock.now_ms = in_a_minute
    await told.tokens.forget_expired()
    made_of = {"tokenId": first, "scopes": ["sign"], "createKey": False, "label": "phone", "expiresAt": in_a_minute}
    created = next(data for name, data in told.since(2) if name == "token:created")
    assert created == {**made_of, "publicKeys": [key.hex()]}
    ended = [(data["tokenId"], data["reason"]) for name, data in told.since() if name == "token:revoked"]
    assert ended == [(second, "revoked"), (first, "expired")]


async def test_a_token_hears_of_the_key_it_makes_whoever_publishes_first(told: Told) -> None:
    token_id, token = await told.tokens.create(["sign"], None, create_key=True, label="", expires_at=None)
    tokens = Authenticator(told.tokens, told.clock.wall_ms)
    heard: list[str] = []

    def listen(burst: Sequence[LoggedEvent]) -> None:
        caller = tokens.refreshed(token_id)
        assert caller is not None
        heard.extend(event.event for event in burst if Selection(caller, lambda token: ()).takes(event))

    told.events.subscribe(listen)
    original = told.store.write

    async def published_by_another(work: Any) -> Any:
        value = await original(work)
        told.events.publish()
        return value

    told.store.write = published_by_another  # type: ignore[method-assign, assignment]  # another writer of the same commit
    await told.keys.create_key(tokens.caller_of(token), models.CreateKey(scheme="lotus"))
    assert heard == ["key:created"]


async def test_a_key_that_could_not_be_stored_does_not_stay_with_its_token(told: Told) -> None:
    token_id, token = await told.tokens.create(["sign"], None, create_key=True, label="", expires_at=None)
    caller = Authenticator(told.tokens, told.clock.wall_ms).caller_of(token)

    async def full(work: object) -> None:
        raise StoreFull("no space")

    told.store.write = full  # type: ignore[method-assign, assignment]  # the disk is full
    with pytest.raises(StoreFull):
        await told.keys.create_key(caller, models.CreateKey(scheme="lotus"))
    fact = told.tokens.get(token_id)
    assert fact is not None
    assert fact.keys == frozenset()


async def test_a_lifted_ban_emits_one_event(told: Told) -> None:
    peer = peer_of(b"\x01" * 32)
    bans = Bans(store=told.store, clock=told.clock, events=told.events)
    await bans.ban(peer, told.clock.now_ms + 1_000, "floods")
    for _ in range(2):
        await bans.lift(peer)
    assert [name for name, _ in told.since()] == ["peer:banned", "peer:unbanned"]
    assert told.last()[1] == {"peerId": peer_text(peer)}
