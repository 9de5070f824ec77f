"""Tokens, the cookie, idempotent answers, bans and known peers are stored, in force, and forgotten in time."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from daemon.access.errors import NoSuchToken
from daemon.access.idempotency import KEPT_MS, StoredAnswers
from daemon.access.tokens import Tokens
from daemon.events import EventLog
from daemon.peers.bans import Bans
from daemon.peers.known_peers import KnownPeers
from daemon.store import Store
from daemon.upkeep.retention import Retention
from musig2.protocol.records.peers import peer_of, peer_text
from rpc.caller import OWNER, Scope
from rpc.errors import ApiError
from rpc.ports import StoredAnswer
from rpc.server.auth import Authenticator, token_digest
from tests.daemon_ops.ops_world import SettableClock

KEY, OTHER = b"\x02" * 33, b"\x03" * 33
PEER = peer_of(b"\x01" * 32)


@pytest.fixture
def clock() -> SettableClock:
    return SettableClock()


@pytest.fixture
async def tokens(store: Store, clock: SettableClock) -> Tokens:
    return await loaded(store, clock)


async def loaded(store: Store, clock: SettableClock) -> Tokens:
    made = Tokens(store=store, clock=clock, events=EventLog(store=store, clock=clock))
    await made.start()
    return made


async def test_a_token_works_before_and_after_a_restart(store: Store, clock: SettableClock, tokens: Tokens) -> None:
    token_id, token = await tokens.create(["sign"], [KEY], create_key=False, label="phone", expires_at=None)
    for one in (tokens, await loaded(store, clock)):
        caller = Authenticator(one, clock.wall_ms).caller_of(token)
        assert (caller.token_id, caller.keys) == (token_id, frozenset({KEY}))
        assert caller.scopes == {Scope.READ, Scope.SIGN}
        assert one.listing()[0].scopes == ("sign",)


async def test_only_the_digest_is_stored(store: Store, tokens: Tokens) -> None:
    _, token = await tokens.create(["read"], None, create_key=False, label="", expires_at=None)
    await store.close()
    content = store.path.read_bytes()
    assert token_digest(token) in content
    assert token.encode() not in content
    assert bytes.fromhex(token.removeprefix("mt_")) not in content


async def test_a_revoked_token_is_gone_at_once_and_for_good(store: Store, clock: SettableClock, tokens: Tokens) -> None:
    token_id, token = await tokens.create(["read"], None, create_key=False, label="", expires_at=None)
    changes: list[int] = []
    tokens.watch(lambda: changes.append(1))
    await tokens.revoke(token_id)
    assert changes
    for one in (tokens, await loaded(store, clock)):
        assert one.find(token_digest(token)) is None
        assert one.get(token_id) is None
    with pytest.raises(NoSuchToken):
        await tokens.revoke(token_id)


async def test_a_token_that_may_create_keys_is_bound_to_what_it_creates(
    store: Store, clock: SettableClock, tokens: Tokens
) -> None:
    token_id, _ = await tokens.create(["sign"], None, create_key=True, label="", expires_at=None)
    fact = tokens.get(token_id)
    assert fact is not None
    assert fact.keys == frozenset()
    await store.write(lambda conn: tokens.store_binding(conn, token_id, KEY))
    tokens.bind(token_id, KEY)
    for one in (tokens, await loaded(store, clock)):
        fact = one.get(token_id)
        assert fact is not None
        assert fact.keys == frozenset({KEY})


async def test_the_owner_is_not_bound_to_keys(store: Store, tokens: Tokens, tmp_path: Path) -> None:
    await tokens.make_cookie(tmp_path)
    await store.write(lambda conn: tokens.store_binding(conn, OWNER, KEY))
    tokens.bind(OWNER, KEY)
    fact = tokens.get(OWNER)
    assert fact is not None
    assert fact.keys is None


async def test_an_unknown_scope_is_refused(tokens: Tokens) -> None:
    with pytest.raises(ApiError) as caught:
        await tokens.create(["root"], None, create_key=False, label="", expires_at=None)
    assert caught.value.reason == "no_such_scope"
    assert tokens.listing() == []


async def test_expired_tokens_leave_the_list_and_the_store(store: Store, clock: SettableClock, tokens: Tokens) -> None:
    token_id, _ = await tokens.create(["read"], None, create_key=False, label="", expires_at=clock.now_ms + 10)
    clock.now_ms += 10
    assert tokens.listing() == []
    await tokens.forget_expired()
    assert tokens.get(token_id) is None
    assert (await loaded(store, clock)).listing() == []


async def test_each_start_makes_another_private_cookie(tokens: Tokens, tmp_path: Path) -> None:
    path = await tokens.make_cookie(tmp_path)
    first = path.read_text()
    fact = tokens.find(token_digest(first))
    assert fact is not None
    assert (fact.token_id, fact.keys, fact.scopes) == (OWNER, None, frozenset(Scope))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    await tokens.make_cookie(tmp_path)
    assert path.read_text() != first
    assert tokens.find(token_digest(first)) is None
    assert tokens.listing() == []


async def test_answers_are_kept_for_a_day_and_across_restarts(store: Store, clock: SettableClock) -> None:
    answer = StoredAnswer(b"\x01" * 32, b'{"a":1}')
    await StoredAnswers(store=store, clock=clock).save("t1", "k", answer)
    again = StoredAnswers(store=store, clock=clock)
    assert await again.find("t1", "k") == answer
    assert await again.find("t2", "k") is None
    clock.now_ms += KEPT_MS
    await again.forget_old()
    assert await again.find("t1", "k") is None
    assert store.read(lambda conn: conn.execute("SELECT count(*) FROM idempotency").fetchone()) == (0,)


async def test_bans_emit_events_survive_a_restart_and_end(store: Store, clock: SettableClock) -> None:
    events = EventLog(store=store, clock=clock)
    await events.start()
    bans = Bans(store=store, clock=clock, events=events)
    await bans.start()
    await bans.ban(PEER, clock.now_ms + 1_000, "noise")
    assert [(event.event, event.data["peerId"]) for event in events.read(1, 9)] == [("peer:banned", peer_text(PEER))]
    again = Bans(store=store, clock=clock, events=events)
    await again.start()
    assert [ban.peer for ban in again.in_force()] == [PEER]
    clock.now_ms += 1_000
    assert again.in_force() == []
    await again.forget_ended()
    await bans.start()
    assert bans.in_force() == []
    await bans.lift(PEER)


async def test_known_peers_come_back_newest_first_and_stay_few(store: Store, clock: SettableClock) -> None:
    known = KnownPeers(store=store, clock=clock)
    await known.remember(PEER, [])
    for number in range(600):
        clock.now_ms += 1
        await known.remember(peer_of(number.to_bytes(32, "big")), [b"\x04addr", b"\x05addr"])
    await known.trim()
    newest = known.newest(2)
    assert [peer for peer, _ in newest] == [peer_of((599).to_bytes(32, "big")), peer_of((598).to_bytes(32, "big"))]
    assert set(newest[0][1]) == {b"\x04addr", b"\x05addr"}
    assert store.read(lambda conn: conn.execute("SELECT count(*) FROM peers").fetchone()) == (1_000,)


async def test_retention_runs_over_everything(store: Store, clock: SettableClock, tokens: Tokens) -> None:
    events = EventLog(store=store, clock=clock)
    await events.start()
    bans = Bans(store=store, clock=clock, events=events)
    await bans.ban(PEER, clock.now_ms + 1, "noise")
    retention = Retention(
        clock=clock,
        keep_audit_ms=2**40,
        store=store,
        keep_events_ms=1_000,
        events=events,
        idempotency=StoredAnswers(store=store, clock=clock),
        tokens=tokens,
        bans=bans,
        known_peers=KnownPeers(store=store, clock=clock),
        clock_is_wrong=lambda: False,
        is_calm=lambda: True,
    )
    clock.now_ms += 10_000
    await retention.run_once()
    assert events.read(0, 9) == []
    assert (events.oldest_seq, events.next_seq) == (2, 2)
    await retention.start()
    await retention.stop()
