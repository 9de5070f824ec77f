"""Signals of a service manager to a busy daemon: SIGTERM once and twice, SIGHUP."""

from __future__ import annotations

import signal
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.e2e.fleet import advertise_all
from tests.e2e.steps import Steps
from tests.e2e.vessels import Vessel, vessels

pytestmark = [pytest.mark.network, pytest.mark.asyncio(loop_scope="module")]

TOO_LONG_MS = 600_000


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def pair(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[list[Vessel]]:
    """Two daemons: Alice has half a second to finish open rounds when she is stopped, Bob as long as it takes."""
    async with vessels(tmp_path_factory.mktemp("pair"), 2, Bob=TOO_LONG_MS) as made:
        await advertise_all([vessel.wallet for vessel in made], "lotus")
        yield made


async def in_round_1(pair: list[Vessel], starting: Vessel) -> Steps:
    """Both have joined, and only this one has started: its nonce is out."""
    steps = Steps([vessel.wallet for vessel in pair])
    await steps.all_ready()
    await steps.start(1, starting.wallet)
    return steps


async def test_sigterm_with_an_open_session_ends_cleanly_and_tells_the_others(pair: list[Vessel]) -> None:
    alice, bob = pair
    steps = await in_round_1(pair, alice)

    alice.send(signal.SIGTERM)

    assert await alice.ended() == 0
    assert not alice.endpoint_file.exists()
    (told,) = await steps.until("session:aborted", bob.wallet)
    assert (told["reason"], told["by"], told["retrying"]) == ("aborted_by_signer", alice.wallet.pubkey, True)

    await alice.start()
    await steps.ready_again()
    await steps.start(1)
    await steps.start(2)
    await steps.final()


async def test_sigterm_waits_for_a_round_that_ends_in_time(pair: list[Vessel]) -> None:
    alice, bob = pair
    steps = await in_round_1(pair, bob)
    await steps.start(2, bob.wallet)  # before he has all nonces: remembered

    bob.send(signal.SIGTERM)
    await bob.told("STOPPING=1")
    await steps.start(1, alice.wallet)
    await steps.start(2, alice.wallet)

    await steps.until("signature:finalized", alice.wallet)
    assert await bob.ended() == 0
    await bob.start()
    await steps.final()
    assert await steps.attempts() == [1, 1]


async def test_a_second_sigterm_ends_at_once(pair: list[Vessel]) -> None:
    _, bob = pair
    steps = await in_round_1(pair, bob)
    bob.send(signal.SIGTERM)
    await bob.told("STOPPING=1")

    bob.send(signal.SIGTERM)

    assert await bob.ended() == 1
    await bob.start()
    await steps.ready_again()


async def hang_up(vessel: Vessel, config: str) -> str:
    """Write the configuration file, send SIGHUP; returns what the daemon logs of it."""
    (vessel.datadir / "musigd.toml").write_text(config)
    before = vessel.said()
    vessel.send(signal.SIGHUP)
    await vessel.told("READY=1")
    return vessel.said().removeprefix(before)


async def test_sighup_takes_the_log_level_from_the_file(pair: list[Vessel]) -> None:
    alice, _ = pair

    quiet = await hang_up(alice, '[log]\nlevel = "error"\n')
    loud = await hang_up(alice, '[log]\nlevel = "info"\n')

    assert "settings read again" not in quiet
    assert "settings read again" in loud


async def test_sighup_with_a_file_that_cannot_be_read_changes_nothing(pair: list[Vessel]) -> None:
    alice, _ = pair

    said = await hang_up(alice, "[log\n")

    assert "a reload failed for one thing" in said
    assert "the settings" in said
    assert (await alice.wallet.call("getInfo"))["ready"] is True
    await hang_up(alice, "")
