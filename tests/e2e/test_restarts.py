"""Real daemons are killed with -9 in every phase and started again: nothing is lost, nothing is signed twice."""

from __future__ import annotations

import asyncio
import secrets
import signal
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pytest
import pytest_asyncio

from daemon.demo.wallet import Wallet
from tests.e2e.fleet import advertise_all
from tests.e2e.steps import Steps
from tests.e2e.vessels import Vessel, vessels

pytestmark = [pytest.mark.network, pytest.mark.asyncio(loop_scope="module")]

PAGE = 500
SESSIONS = 10


@dataclass(frozen=True)
class Known:
    """What a daemon shows of one request, and all events that it has emitted so far."""

    log: str
    events: Sequence[Mapping[str, Any]]
    request: Mapping[str, Any]
    sessions: Sequence[Mapping[str, Any]]


async def known(wallet: Wallet, request: str) -> Known:
    events: list[Mapping[str, Any]] = []
    more = True
    while more:
        page = await wallet.call("getEvents", fromSeq=len(events) + 1, limit=PAGE)
        events += page["events"]
        more = len(page["events"]) == PAGE
    shown = await wallet.call("getSigningRequest", requestId=request)
    for signer in shown["signers"]:
        del signer["delivered"]  # found out anew, when the peer is connected again
    found = await wallet.call("listSessions", requestId=request)
    return Known(page["logId"], events, shown, found["sessions"])


async def kill_and_start(vessel: Vessel, request: str) -> tuple[Known, Known]:
    """kill -9 and start on the same data directory; assert that the earlier events are unchanged, without a gap."""
    before = await known(vessel.wallet, request)
    await vessel.kill()
    await vessel.start()
    after = await known(vessel.wallet, request)
    assert after.log == before.log
    assert after.events[: len(before.events)] == before.events
    assert [event["seq"] for event in after.events] == list(range(1, len(after.events) + 1))
    return before, after


async def survives(vessel: Vessel, request: str) -> None:
    """Assert that nothing is different after kill -9."""
    before, after = await kill_and_start(vessel, request)
    assert after.request == before.request
    assert after.sessions == before.sessions


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def pair(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[list[Vessel]]:
    async with vessels(tmp_path_factory.mktemp("pair"), 2) as made:
        await advertise_all([vessel.wallet for vessel in made], "lotus")
        yield made


@pytest.fixture(params=["creator", "joiner"])
def victim(request: pytest.FixtureRequest, pair: list[Vessel]) -> Vessel:
    creator, joiner = pair
    return creator if request.param == "creator" else joiner


async def test_killed_before_all_have_joined_the_first_attempt_goes_on(pair: list[Vessel]) -> None:
    steps = Steps([vessel.wallet for vessel in pair], autoAdvance=True)
    await steps.announce()

    await survives(pair[0], steps.request)

    await steps.join()
    await steps.final()
    assert await steps.attempts() == [1, 1]


async def test_killed_when_all_have_joined_the_first_attempt_goes_on(pair: list[Vessel], victim: Vessel) -> None:
    steps = Steps([vessel.wallet for vessel in pair])
    await steps.all_ready()

    await survives(victim, steps.request)

    await steps.start(1)
    await steps.until("round1:complete")
    await steps.start(2)
    await steps.final()
    assert await steps.attempts() == [1, 1]


async def test_killed_after_its_nonce_went_out_a_second_attempt_succeeds_automatically(pair: list[Vessel]) -> None:
    steps = Steps([vessel.wallet for vessel in pair], autoAdvance=True)
    alice, bob = pair
    await steps.announce()
    await steps.until("signing-request:received", bob.wallet)
    alice.send(signal.SIGSTOP)
    await steps.join()
    await steps.until("session:ready", bob.wallet)

    before, _ = await kill_and_start(bob, steps.request)
    await steps.until("session:aborted", bob.wallet)
    alice.send(signal.SIGCONT)

    await steps.final()
    assert [session["phase"] for session in before.sessions] == ["round1"]
    seen, lost = await steps.until("session:aborted")
    assert (lost["reason"], lost["retrying"], lost["culprits"], lost["missing"]) == ("nonce_lost", True, [], [])
    assert seen["reason"] in {"aborted_by_signer", "superseded"}  # whether Bob's abort or his next join arrived first
    assert (seen["retrying"], seen["culprits"]) == (True, [])
    assert await steps.attempts() == [2, 2]


async def test_killed_after_its_partials_were_stored_the_first_attempt_goes_on(
    pair: list[Vessel], victim: Vessel
) -> None:
    steps = Steps([vessel.wallet for vessel in pair])
    await steps.all_nonces()
    await steps.start(2, victim.wallet)

    await survives(victim, steps.request)

    await steps.start(2)
    await steps.final()
    assert await steps.attempts() == [1, 1]


async def test_killed_after_the_end_the_signature_is_returned(pair: list[Vessel], victim: Vessel) -> None:
    steps = Steps([vessel.wallet for vessel in pair], autoAdvance=True)
    await steps.announce()
    await steps.join()
    signature = await steps.final()

    await survives(victim, steps.request)

    assert await steps.final() == signature


async def test_both_killed_in_different_rounds_find_each_other_and_try_again(pair: list[Vessel]) -> None:
    steps = Steps([vessel.wallet for vessel in pair])
    alice, bob = pair
    await steps.all_nonces()
    await steps.start(2, bob.wallet)

    await asyncio.gather(alice.kill(), bob.kill())
    await asyncio.gather(alice.start(), bob.start())

    seen = await steps.until("session:aborted")
    assert [end["retrying"] for end in seen] == [True, True]
    first = steps.session
    await steps.ready_again()
    await steps.start(1)
    await steps.until("round1:complete")
    await steps.start(2)
    await steps.final()
    shown = await bob.wallet.call("getSession", sessionId=first)
    assert (shown["phase"], shown["partialReleased"]) == ("aborted", True)


async def test_killed_amid_many_sessions_all_of_them_end(pair: list[Vessel], victim: Vessel) -> None:
    every = [Steps([vessel.wallet for vessel in pair], autoAdvance=True) for _ in range(SESSIONS)]
    await asyncio.gather(*(steps.announce() for steps in every))
    await asyncio.gather(*(steps.join() for steps in every))

    await victim.kill()
    await victim.start()

    signatures = [await steps.final() for steps in every]
    assert len(set(signatures)) == SESSIONS


async def test_a_call_repeated_after_a_kill_gets_the_first_answer(pair: list[Vessel]) -> None:
    alice, bob = pair
    call = {
        "requiredPublicKeys": [alice.wallet.pubkey, bob.wallet.pubkey],
        "publicKey": alice.wallet.pubkey,
        "message": secrets.token_hex(32),
        "idempotencyKey": "once",
    }
    first = await alice.wallet.call("announceSigningRequest", **call)

    await alice.kill()
    await alice.start()

    assert await alice.wallet.call("announceSigningRequest", **call) == first
