"""Webhooks: events posted in order, signed, again until taken, over restarts; and which URLs are allowed."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
from pathlib import Path

import orjson
import pytest

from daemon.demo.processes import Daemons
from daemon.errors import InvalidParam, NotFound
from daemon.events import EventLog
from daemon.store import Store
from daemon.webhooks.hooks import MOST, TooManyWebhooks
from musigd_client import Client
from musigd_client.errors import Forbidden
from rpc.caller import OWNER, Caller, owner
from rpc.models.events import CreateWebhook, EventFilter, NameWebhook
from rpc.models.wire import NoParams
from tests.daemon_ops.webhooks.hook_world import KEYS, Receiver, delivering, happen


async def test_events_are_posted_in_order_and_signed_with_the_secret_that_was_shown(
    store: Store, events: EventLog, receiver: Receiver
) -> None:
    await happen(store, events, "session:ready")  # before the webhook: it is not told
    async with delivering(store, events) as service:
        made = await service.create_webhook(owner(), CreateWebhook(url=receiver.url))
        await happen(store, events, "session:ready", "session:closed", "session:created")
        assert await receiver.seqs(3) == [2, 3, 4]
    for headers, body in receiver.taken:
        time, _, given = headers["Musigd-Signature"].removeprefix("t=").partition(",v1=")
        expected = hmac.new(made.secret.encode(), f"{time}.".encode() + body, hashlib.sha256).hexdigest()
        assert given == expected
        assert headers["Musigd-Webhook"] == made.webhook_id
        assert headers["Musigd-Seq"] == str(orjson.loads(body)["seq"])


async def test_an_event_is_posted_until_it_is_accepted_and_the_reason_is_listed_meanwhile(
    store: Store, events: EventLog, receiver: Receiver
) -> None:
    receiver.statuses = [500, 302, 429]
    async with delivering(store, events) as service:
        await service.create_webhook(owner(), CreateWebhook(url=receiver.url))
        receiver.statuses = [500] * 50
        await happen(store, events, "session:ready", "session:closed")
        await receiver.until(lambda: receiver.refused >= 2)
        (shown,) = (await service.list_webhooks(owner(), NoParams())).webhooks
        assert (shown.problem, shown.next_seq) == ("it answers 500", 1)
        receiver.statuses = [302, 429]
        assert await receiver.seqs(2) == [1, 2]


async def test_a_webhook_continues_after_a_restart_where_it_stopped(
    store: Store, events: EventLog, receiver: Receiver
) -> None:
    async with delivering(store, events) as service:
        await service.create_webhook(owner(), CreateWebhook(url=receiver.url))
        await happen(store, events, "session:ready")
        assert await receiver.seqs(1) == [1]
    await happen(store, events, "session:ready", "session:closed")
    async with delivering(store, events):
        await receiver.until(lambda: b'"seq":3' in receiver.taken[-1][1])
    told = await receiver.seqs(3)
    assert list(dict.fromkeys(told)) == [1, 2, 3]  # a stop before the first was noted repeats it


async def test_events_that_are_no_longer_kept_are_posted_as_a_gap(
    store: Store, events: EventLog, receiver: Receiver
) -> None:
    await happen(store, events, "session:ready")
    async with delivering(store, events) as service:
        await service.create_webhook(owner(), CreateWebhook(url=receiver.url))
    await happen(store, events, *["session:ready"] * 3)
    await events._forget(4)
    async with delivering(store, events):
        await receiver.until(lambda: len(receiver.taken) >= 2)
    gap, kept = (orjson.loads(body) for _, body in receiver.taken)
    assert (gap["event"], gap["data"], kept["seq"]) == ("events:gap", {"from": 2, "to": 3}, 4)


async def test_only_matching_events_that_the_token_may_see_are_posted(
    store: Store, events: EventLog, receiver: Receiver
) -> None:
    in_force, looked = {OWNER: owner()}, asyncio.Event()

    def caller_of(token: str) -> Caller | None:
        if token not in in_force:
            looked.set()
        return in_force.get(token)

    async with delivering(store, events, caller_of) as service:
        asked = CreateWebhook(url=receiver.url, events=("session:*",), filter=EventFilter(public_key=KEYS[1].hex()))
        await service.create_webhook(owner(), asked)
        await happen(store, events, "session:ready")
        await happen(store, events, "signing-request:joined", "session:ready", key=KEYS[1])
        assert await receiver.seqs(1) == [3]
        (shown,) = (await service.list_webhooks(owner(), NoParams())).webhooks
        assert (shown.events, shown.filter) == (asked.events, asked.filter)
        in_force.clear()
        await happen(store, events, "session:ready", key=KEYS[1])
        await looked.wait()
        in_force[OWNER] = owner()
        await service.create_webhook(owner(), CreateWebhook(url=receiver.url))
        await happen(store, events, "session:closed")
        assert await receiver.seqs(2) == [3, 5]


async def test_a_deleted_webhook_hears_no_more_and_one_too_many_is_refused(
    store: Store, events: EventLog, receiver: Receiver
) -> None:
    async with delivering(store, events) as service:
        made = [await service.create_webhook(owner(), CreateWebhook(url=receiver.url)) for _ in range(MOST)]
        assert len({each.secret for each in made}) == MOST
        with pytest.raises(TooManyWebhooks):
            await service.create_webhook(owner(), CreateWebhook(url=receiver.url))
        for each in made[1:]:
            await service.delete_webhook(owner(), NameWebhook(webhook_id=each.webhook_id))
        with pytest.raises(NotFound):
            await service.delete_webhook(owner(), NameWebhook(webhook_id=made[1].webhook_id))
        await happen(store, events, "session:ready", "session:closed")
        assert await receiver.seqs(2) == [1, 2]


@pytest.mark.parametrize(
    "url",
    [
        "http://example.org/hook",
        "ftp://127.0.0.1/",
        "https://",
        "https://user:password@example.org/",
        "https://example.org/#part",
        "https://example.org:99999/",
        "https://ex\u00e4mple.org/",
        "http://127.0.0.1.example.org/",
        "http://localhost.example.org/",
        "http://127.0.0.1\\@example.org/",
        "http://127.0.0.1@example.org/",
        "http://[::1]example.org/",
        "//example.org/",
        "javascript:alert(1)",
    ],
)
async def test_a_url_must_be_https_or_of_this_machine(store: Store, events: EventLog, url: str) -> None:
    async with delivering(store, events) as service:
        with pytest.raises(InvalidParam):
            await service.create_webhook(owner(), CreateWebhook(url=url))
        for allowed in ("https://example.org/hook", "http://localhost:8000/", "http://[::1]/x"):
            assert (await service.create_webhook(owner(), CreateWebhook(url=allowed))).secret


async def test_neither_url_nor_secret_is_in_the_log_and_no_secret_in_the_database(
    store: Store, events: EventLog, receiver: Receiver, capsys: pytest.CaptureFixture[str]
) -> None:
    receiver.statuses = [500]
    async with delivering(store, events) as service:
        made = await service.create_webhook(owner(), CreateWebhook(url=receiver.url))
        await happen(store, events, "session:ready")
        assert await receiver.seqs(1) == [1]
    said = "".join(capsys.readouterr())
    assert "webhook_not_taken" in said
    assert receiver.url not in said
    assert made.secret not in said
    dump = store.read(lambda conn: "\n".join(conn.iterdump()))
    assert made.webhook_id in dump.lower()
    assert made.secret not in dump.lower()


@pytest.mark.network
async def test_a_real_daemon_posts_what_happens_also_to_a_bound_token_that_was_given_the_right(
    tmp_path: Path, receiver: Receiver
) -> None:
    daemons = Daemons(tmp_path, "webhooks")
    try:
        daemon = await daemons.start("alice", ())
        async with await Client.connect(datadir=daemon.datadir) as client:
            made = await client.create_webhook(url=receiver.url, events=["key:*"])
            key = await client.create_key(scheme="lotus")
            assert await receiver.seqs(1) == [key.seq]
            assert orjson.loads(receiver.taken[0][1])["data"]["publicKeys"] == [key.public_key]
            assert (await client.delete_webhook(webhook_id=made.webhook_id)).deleted
            url = str(daemon.endpoint["rpc"])
            bound = await client.create_token(scopes=["admin"], public_keys=[key.public_key])
            async with await Client.connect(url=url, token=bound.token) as without:
                assert "createWebhook" not in (await without.get_rights()).methods
                with pytest.raises(Forbidden, match="scope webhook"):
                    await without.create_webhook(url=receiver.url)
            given = await client.create_token(scopes=["sign", "webhook"], public_keys=[key.public_key])
            async with await Client.connect(url=url, token=given.token) as having:
                made = await having.create_webhook(url=receiver.url)
                await client.create_key(scheme="lotus")  # another's: not told
                paused = await client.pause_key(public_key=key.public_key)
                assert (await receiver.seqs(2))[1] == paused.seq
            await client.revoke_token(token_id=given.token_id)
            await client.resume_key(public_key=key.public_key)
            async for _ in client.events(from_seq=0, events=["key:resumed"]):
                break
            assert len(receiver.taken) == 2
    finally:
        await daemons.stop()
