"""Whose webhooks are whose: a token bound to keys makes them only with the right to, and they end with their token."""

from __future__ import annotations

import asyncio

import pytest

from daemon.access.tokens import Tokens
from daemon.api.webhooks import WebhookMethods
from daemon.errors import NotFound
from daemon.events import EventLog
from daemon.store import Store
from daemon.webhooks.hooks import MOST_OF_ONE, TooManyWebhooks
from rpc.caller import Caller, Scope, owner, scopes_of
from rpc.methods.table import METHODS
from rpc.models.events import CreateWebhook, NameWebhook, WebhookMade
from rpc.models.wire import NoParams
from tests.daemon_ops.ops_world import SettableClock
from tests.daemon_ops.webhooks.hook_world import KEYS, Receiver, delivering, happen


@pytest.fixture
async def tokens(store: Store, events: EventLog) -> Tokens:
    made = Tokens(store=store, clock=events._clock, events=events)
    await made.start()
    return made


async def caller_with(tokens: Tokens, *scopes: str, expires_at: int | None = None) -> Caller:
    """A token bound to the first key."""
    made, _ = await tokens.create(scopes, KEYS[:1], create_key=False, label="", expires_at=expires_at)
    caller = tokens.caller(made)
    assert caller is not None
    return caller


def task_of(service: WebhookMethods, made: WebhookMade) -> asyncio.Task[None]:
    """What delivers to it; done when it has ended."""
    return service._deliveries._at_work[bytes.fromhex(made.webhook_id)].task


@pytest.mark.parametrize("method", ["createWebhook", "listWebhooks", "deleteWebhook"])
async def test_bound_token_needs_the_scope_by_name_and_a_free_one_with_admin_has_it(
    tokens: Tokens, method: str
) -> None:
    bound = {scope: METHODS[method].allows(await caller_with(tokens, scope)) for scope in Scope}
    assert bound == {scope: scope is Scope.WEBHOOK for scope in Scope}
    assert METHODS[method].allows(await caller_with(tokens, "admin", "webhook"))
    assert METHODS[method].allows(Caller("free", scopes_of(["admin"]), None, create_key=False))
    assert METHODS[method].allows(owner())


async def test_bound_token_hears_of_its_keys_alone(
    store: Store, events: EventLog, tokens: Tokens, receiver: Receiver
) -> None:
    caller = await caller_with(tokens, "sign", "webhook")
    async with delivering(store, events, tokens.caller) as service:
        await service.create_webhook(caller, CreateWebhook(url=receiver.url, events=("session:*",)))
        await happen(store, events, "session:ready", key=KEYS[1])
        await happen(store, events, "session:ready", key=KEYS[0])
        assert await receiver.seqs(1) == [events.next_seq - 1]


async def test_token_sees_and_ends_its_own_webhooks_and_the_owner_all(
    store: Store, events: EventLog, tokens: Tokens, receiver: Receiver
) -> None:
    one, other = await caller_with(tokens, "webhook"), await caller_with(tokens, "webhook")
    asked = CreateWebhook(url=receiver.url)
    async with delivering(store, events, tokens.caller) as service:
        made = [(await service.create_webhook(caller, asked)).webhook_id for caller in (owner(), one, other)]

        async def seen(caller: Caller) -> set[str]:
            return {each.webhook_id for each in (await service.list_webhooks(caller, NoParams())).webhooks}

        assert (await seen(one), await seen(other), await seen(owner())) == ({made[1]}, {made[2]}, set(made))
        for foreign in (made[0], made[2]):
            with pytest.raises(NotFound):
                await service.delete_webhook(one, NameWebhook(webhook_id=foreign))
        await service.delete_webhook(one, NameWebhook(webhook_id=made[1]))
        await service.delete_webhook(owner(), NameWebhook(webhook_id=made[2]))
        assert await seen(owner()) == {made[0]}


async def test_one_token_takes_no_more_than_its_share_of_the_places(
    store: Store, events: EventLog, tokens: Tokens, receiver: Receiver
) -> None:
    one, other = await caller_with(tokens, "webhook"), await caller_with(tokens, "webhook")
    async with delivering(store, events, tokens.caller) as service:
        for _ in range(MOST_OF_ONE):
            await service.create_webhook(one, CreateWebhook(url=receiver.url))
        with pytest.raises(TooManyWebhooks, match=f"{MOST_OF_ONE} webhooks of this token"):
            await service.create_webhook(one, CreateWebhook(url=receiver.url))
        assert (await service.create_webhook(other, CreateWebhook(url=receiver.url))).secret


async def test_webhook_ends_with_its_token_even_while_it_is_refused(
    store: Store, events: EventLog, tokens: Tokens, receiver: Receiver
) -> None:
    caller = await caller_with(tokens, "webhook")
    receiver.statuses = [500] * 1_000
    async with delivering(store, events, tokens.caller) as service:
        made = await service.create_webhook(caller, CreateWebhook(url=receiver.url))
        ended = task_of(service, made)
        await happen(store, events, "session:ready", key=KEYS[0])
        await receiver.until(lambda: receiver.refused >= 1)
        await tokens.revoke(caller.token_id)
        await asyncio.wait_for(ended, 60)
        assert (await service.list_webhooks(owner(), NoParams())).webhooks == ()
    async with delivering(store, events, tokens.caller) as service:
        assert (await service.list_webhooks(owner(), NoParams())).webhooks == ()


async def test_expired_token_has_no_rights_left_and_its_webhook_waits_for_the_clock(
    store: Store, events: EventLog, tokens: Tokens, receiver: Receiver
) -> None:
    """A clock that was wrong for a while loses nobody a webhook: it ends when the token is forgotten."""
    clock = events._clock
    assert isinstance(clock, SettableClock)
    caller = await caller_with(tokens, "webhook", expires_at=clock.wall_ms() + 1_000)
    async with delivering(store, events, tokens.caller) as service:
        made = await service.create_webhook(caller, CreateWebhook(url=receiver.url, events=("session:*",)))
        ended = task_of(service, made)
        clock.now_ms += 1_000
        assert tokens.caller(caller.token_id) is None
        await happen(store, events, "session:ready", key=KEYS[0])
        await service.create_webhook(owner(), CreateWebhook(url=receiver.url, events=("session:closed",)))
        await happen(store, events, "session:closed", key=KEYS[0])
        assert await receiver.seqs(1) == [events.next_seq - 1]
        assert len((await service.list_webhooks(owner(), NoParams())).webhooks) == 2
        await tokens.forget_expired()
        await asyncio.wait_for(ended, 60)
        assert len((await service.list_webhooks(owner(), NoParams())).webhooks) == 1
        assert len(receiver.taken) == 1
