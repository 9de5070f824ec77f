"""A second attempt, a decline, a cancel, and a signer that cheats."""

from __future__ import annotations

import secrets
from typing import Any

from daemon.demo.wallet import Wallet
from musig2.protocol.blame.evidence import verify_evidence
from tests.strangers.steps.asking import asked
from tests.strangers.stranger import Stranger
from tests.strangers.world import SCHEMES, World, assert_blameless, own_key, signed_by


async def announced(wallet: Wallet, keys: list[str], **values: Any) -> str:
    """A request of the wallet, whose own key is the first."""
    asked_for = {"requiredPublicKeys": keys, "publicKey": keys[0], "message": secrets.token_hex(32)}
    return str((await wallet.call("announceSigningRequest", **asked_for, **values))["requestId"])


async def ready(wallet: Wallet, request: str, attempt: int) -> str:
    """The session in which all have joined that attempt."""
    return str((await wallet.heard("session:ready", times=attempt, requestId=request))[-1]["sessionId"])


async def both_rounds(wallet: Wallet, session: str) -> None:
    """The wallet goes through them step by step."""
    await wallet.call("startRound1", sessionId=session)
    await wallet.heard("round1:complete", sessionId=session)
    await wallet.call("startRound2", sessionId=session)


async def signed_in(attempt: int, wallet: Wallet, peer: Stranger, request: str) -> None:
    """Both have the signature of that attempt."""
    told = await peer.heard(said="signed", request=request)
    answer = await wallet.call("getFinalSignature", requestId=request, waitMs=60_000)
    assert (told["attempt"], told["signatures"]) == (attempt, answer["signatures"])
    assert (await wallet.call("getSigningRequest", requestId=request))["attempt"] == attempt
    assert_blameless(peer)


async def a_daemon_killed_after_its_nonce_and_the_peer_sign_in_a_second_attempt(world: World) -> None:
    vessel = world.vessels[0]
    for scheme in SCHEMES:
        async with world.peer() as peer:
            await world.met(peer)
            key = (await peer.do("advertise", scheme=scheme, how="push"))["key"]
            request = await announced(world.alice, [await own_key(world.alice, scheme), key], autoAdvance=False)
            first = await ready(world.alice, request, 1)
            await world.alice.call("startRound1", sessionId=first)
            await world.alice.heard("round1:complete", sessionId=first)
            await vessel.kill()
            await vessel.start()
            await peer.do("connectAgain", addr=vessel.multiaddr)
            (lost,) = await world.alice.heard("session:aborted", requestId=request)
            assert (lost["reason"], lost["retrying"]) == ("nonce_lost", True)
            await both_rounds(world.alice, await ready(world.alice, request, 2))
            await signed_in(2, world.alice, peer, request)


async def the_peer_loses_its_nonce_and_signs_in_a_second_attempt(world: World) -> None:
    for scheme in SCHEMES:
        async with world.peer() as peer:
            await world.met(peer)
            key = (await peer.do("advertise", scheme=scheme, how="push"))["key"]
            request = await announced(world.alice, [await own_key(world.alice, scheme), key], autoAdvance=False)
            await ready(world.alice, request, 1)
            await peer.do("lose", request=request)
            (lost,) = await world.alice.heard("session:aborted", requestId=request)
            assert (lost["reason"], lost["by"], lost["retrying"]) == ("aborted_by_signer", key, True)
            await both_rounds(world.alice, await ready(world.alice, request, 2))
            await signed_in(2, world.alice, peer, request)


async def it_declines_and_hears_a_decline(world: World) -> None:
    async with world.peer() as peer:
        await world.met(peer)
        key = (await peer.do("advertise", scheme="bip340", how="push"))["key"]
        own = await own_key(world.alice, "bip340")
        await peer.do("hold")
        request = await announced(world.alice, [own, key])
        await peer.heard(said="asked", request=request)
        await peer.do("decline", request=request, reason="not today")
        (told,) = await world.alice.heard("signing-request:declined", requestId=request)
        assert (told["publicKey"], told["reason"]) == (key, "not today")

        made = await asked(peer, key, [own])
        await world.alice.heard("signing-request:received", requestId=made["request"])
        await world.alice.call("declineSigningRequest", requestId=made["request"], publicKey=own, reason="never")
        ended = await peer.heard(said="ended", request=made["request"])
        assert (ended["reason"], ended["by"]) == ("declined", own)
        assert_blameless(peer)


async def it_cancels_and_hears_a_cancel(world: World) -> None:
    async with world.peer() as peer:
        await world.met(peer)
        key = (await peer.do("advertise", scheme="lotus", how="push"))["key"]
        own = await own_key(world.alice, "lotus")
        await peer.do("hold")
        request = await announced(world.alice, [own, key])
        await peer.heard(said="asked", request=request)
        await world.alice.call("cancelSigningRequest", requestId=request, reason="paid otherwise")
        ended = await peer.heard(said="ended", request=request)
        assert (ended["reason"], ended["by"]) == ("cancelled", own)

        made = await asked(peer, key, [own])
        await world.alice.heard("signing-request:received", requestId=made["request"])
        await peer.do("cancel", request=made["request"], reason="a mistake")
        (told,) = await world.alice.heard("signing-request:cancelled", requestId=made["request"])
        assert told["reason"] == "a mistake"
        assert_blameless(peer)


async def who_sends_a_wrong_partial_signature_is_named_to_all_and_the_others_sign_on(world: World) -> None:
    for scheme in SCHEMES:
        async with world.peer() as peer, world.peer() as liar:
            keys = []
            for each in (peer, liar):
                await world.met(each)
                keys.append((await each.do("advertise", scheme=scheme, how="push"))["key"])
            await liar.do("lie", about="partial")
            own = await own_key(world.alice, scheme)
            request = await announced(world.alice, [own, *keys])
            (told,) = await world.alice.heard("session:aborted", requestId=request)
            assert (told["reason"], told["culprits"], told["retrying"]) == ("bad_partial", [keys[1]], False)
            ended = await peer.heard(said="ended", request=request)
            assert (ended["reason"], ended["culprits"]) == ("bad_partial", [keys[1]])

            shown = await world.alice.call("getEvidence", sessionId=told["sessionId"])
            judged = await peer.do("judge", request=shown["request"], evidence=shown["evidence"])
            assert judged["proven"] == [[keys[1], "bad_partial"]]
            own_proof = await peer.do("evidence", request=request)
            envelopes = [bytes.fromhex(each) for each in own_proof["evidence"]]
            proven = verify_evidence(bytes.fromhex(own_proof["request"]), envelopes)
            assert proven == [(bytes.fromhex(keys[1]), "bad_partial")]

            await signed_by([world.alice], [own], [(peer, keys[0])], scheme)
