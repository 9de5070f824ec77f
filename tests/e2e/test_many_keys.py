"""Seventeen keys on few daemons meet at hubs as seventeen daemons would: real daemons, and one that dies on the way."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from daemon.demo.wallet import Wallet
from tests.e2e.vessels import Vessel, vessels

pytestmark = [pytest.mark.network, pytest.mark.asyncio(loop_scope="module")]

COUNTS = (9, 8, 1)
Keys = dict[str, list[str]]  # by the name of the daemon


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def three(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[tuple[list[Vessel], Keys]]:
    """Three daemons with nine keys, eight, and one, all advertised and known to all."""
    async with vessels(tmp_path_factory.mktemp("three"), 3) as made:
        wallets = [vessel.wallet for vessel in made]
        for wallet in wallets:
            await wallet.call("subscribeToSignerDiscovery", transactionTypes=["spend"])
        keys = {wallet.name: await some_keys(wallet, count) for wallet, count in zip(wallets, COUNTS, strict=True)}
        await asyncio.gather(
            *(
                wallet.heard("signer:discovered", times=sum(COUNTS) - own)
                for wallet, own in zip(wallets, COUNTS, strict=True)
            )
        )
        yield made, keys


async def some_keys(wallet: Wallet, count: int) -> list[str]:
    made = [(await wallet.call("createKey", scheme="lotus"))["publicKey"] for _ in range(count)]
    for key in made:
        await wallet.call("advertiseSigner", publicKey=key, criteria={"transactionTypes": ["spend"]})
    return made


async def ask(creator: Wallet, keys: Keys, **options: bool) -> str:
    """A request of all these keys, which all have joined at their daemons."""
    mine, everybody = keys[creator.name], [key for some in keys.values() for key in some]
    asked = {"publicKey": mine[0], "requiredPublicKeys": everybody, "message": secrets.token_hex(32)}
    request: str = (await creator.call("announceSigningRequest", **asked, **options))["requestId"]
    return request


async def join_all(wallet: Wallet, request: str, keys: Keys, **options: bool) -> None:
    await wallet.heard("signing-request:received", requestId=request)
    for key in keys[wallet.name]:
        await wallet.call("joinSigningRequest", requestId=request, publicKey=key, **options)


async def signed(wallets: list[Wallet], request: str) -> str:
    """The signature, the same at all and good."""
    finals = [await wallet.call("getFinalSignature", requestId=request, waitMs=60_000) for wallet in wallets]
    final = finals[0]
    assert all(other["signature"] == final["signature"] for other in finals)
    asked = {name: final[name] for name in ("message", "signature", "scheme")}
    verdict = await wallets[0].call("verifySignature", publicKey=final["aggregatedPublicKey"], **asked)
    assert verdict == {"valid": True}
    return str(final["signature"])


async def test_two_daemons_with_seventeen_keys_between_them_sign(three: tuple[list[Vessel], Keys]) -> None:
    made, keys = three
    two = [vessel.wallet for vessel in made[:2]]
    theirs = {wallet.name: keys[wallet.name] for wallet in two}
    request = await ask(two[0], theirs)
    await asyncio.gather(*(join_all(wallet, request, theirs) for wallet in two))
    await signed(two, request)
    shown = await two[1].call("getSigningRequest", requestId=request)
    assert shown["attempt"] == 1


async def test_a_creator_that_is_killed_in_round_1_costs_one_attempt(three: tuple[list[Vessel], Keys]) -> None:
    made, keys = three
    creator, *others = made
    wallets = [vessel.wallet for vessel in made]
    request = await ask(creator.wallet, keys, autoAdvance=False)
    await asyncio.gather(*(join_all(wallet, request, keys, autoAdvance=False) for wallet in wallets))
    first = (await asyncio.gather(*(wallet.heard("session:ready", requestId=request) for wallet in wallets)))[0][0]
    for wallet in wallets:
        await wallet.call("startRound1", sessionId=first["sessionId"])
    await others[0].wallet.heard("round1:complete", requestId=request)
    await creator.kill()
    await creator.start()
    again = await asyncio.gather(*(wallet.heard("session:ready", times=2, requestId=request) for wallet in wallets))
    session = again[0][1]["sessionId"]
    assert session != first["sessionId"]
    for number in (1, 2):
        for wallet in wallets:
            await wallet.call(f"startRound{number}", sessionId=session)
    await signed(wallets, request)
