"""What `getFinalSignature` answers where there is no signature."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Any

import pytest
import pytest_asyncio

from daemon.demo.wallet import Wallet
from musigd_client import CallFailed
from tests.e2e.fleet import advertise_all, fleet
from tests.e2e.steps import Steps

pytestmark = [pytest.mark.network, pytest.mark.asyncio(loop_scope="module")]

OVER = -32012


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def pair(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[list[Wallet]]:
    async with fleet(tmp_path_factory.mktemp("pair"), 2) as made:
        await advertise_all(made.wallets, "lotus")
        yield made.wallets


async def refused(wallet: Wallet, steps: Steps, wait_ms: int = 60_000) -> Mapping[str, Any]:
    """The data of the error that a wallet gets while it waits for the signature."""
    with pytest.raises(CallFailed) as caught:
        await wallet.call("getFinalSignature", requestId=steps.request, waitMs=wait_ms)
    assert caught.value.code == OVER
    return caught.value.data


async def announced(pair: list[Wallet], **options: Any) -> Steps:
    """A request that both daemons know, and only the first has joined."""
    steps = Steps(pair, **options)
    await steps.announce()
    await steps.until("signing-request:received", pair[1])
    return steps


async def after(steps: Steps, method: str, wallet: Wallet, **params: Any) -> list[Mapping[str, Any]]:
    """The errors that two waiting wallets get when this is called."""
    waiting = [asyncio.ensure_future(refused(each, steps)) for each in steps.wallets]
    await wallet.call(method, **params)
    return list(await asyncio.gather(*waiting))


async def test_declined(pair: list[Wallet]) -> None:
    _, bob = pair
    steps = await announced(pair)

    told = await after(steps, "declineSigningRequest", bob, requestId=steps.request, publicKey=bob.pubkey)

    assert [data["reason"] for data in told] == ["declined"] * 2
    assert [data["publicKey"] for data in told] == [bob.pubkey] * 2


async def test_cancelled(pair: list[Wallet]) -> None:
    alice, _ = pair
    steps = await announced(pair)

    told = await after(steps, "cancelSigningRequest", alice, requestId=steps.request)

    assert [data["reason"] for data in told] == ["cancelled"] * 2
    assert [data["publicKey"] for data in told] == [alice.pubkey] * 2


async def test_expired(pair: list[Wallet]) -> None:
    alice, _ = pair
    steps = Steps(pair, ttl=1_000)
    await steps.announce()

    assert (await refused(alice, steps))["reason"] == "expired"


async def test_aborted_by_one_of_them(pair: list[Wallet]) -> None:
    _, bob = pair
    steps = Steps(pair)
    await steps.all_ready()

    told = await after(steps, "abortSession", bob, sessionId=steps.session)

    assert [data["reason"] for data in told] == ["aborted"] * 2
    assert [data["sessionReason"] for data in told] == ["aborted_by_signer", "aborted_by_owner"]


async def test_not_ready_names_who_is_waited_for(pair: list[Wallet]) -> None:
    alice, bob = pair
    keys = sorted(wallet.pubkey for wallet in pair)
    steps = await announced(pair)
    await steps.until("participant:joined", bob)  # the asker's join may come a moment after its request

    async def waits_for(wallet: Wallet) -> tuple[str, list[str]]:
        data = await refused(wallet, steps, 0)
        assert data["reason"] == "not_ready"
        return data["phase"], sorted(data["waitingFor"])

    assert [await waits_for(wallet) for wallet in pair] == [("joining", [bob.pubkey])] * 2
    await steps.join()
    await steps.until("session:ready")
    assert [await waits_for(wallet) for wallet in pair] == [("ready", keys)] * 2
    await steps.start(1)
    await steps.until("round1:complete")
    assert [await waits_for(wallet) for wallet in pair] == [("round1", keys)] * 2
    await steps.start(2, alice)
    assert await waits_for(alice) == ("round2", [bob.pubkey])
    await steps.start(2, bob)
    await steps.final()


async def test_an_attempt_that_ran_out_of_time_waits_for_the_next(pair: list[Wallet]) -> None:
    steps = Steps(pair, roundMs=1_000, autoAdvance=True)
    steps.auto = False  # the second joins and never begins
    await steps.announce()
    await steps.join()
    await steps.until("session:aborted")

    for wallet in pair:
        data = await refused(wallet, steps, 0)
        assert (data["reason"], data["phase"], data["waitingFor"]) == ("not_ready", "aborted", [wallet.pubkey])
        assert data["waitingForCall"] == "joinSigningRequest"
