"""Guessing the passphrase takes longer and longer waits; the owner, who knows it, does not wait."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from daemon.events import EventLog
from daemon.keys.errors import TooManyAttempts, WrongPassphrase
from daemon.keys.keystore import Keystore
from daemon.keys.passphrase import find_passphrase
from daemon.store import Store
from rpc.methods.table import METHODS
from tests.daemon_ops.ops_world import CHEAP, SettableClock, generated_passphrase, secret_bytes


class SteppedClock(SettableClock):
    """Time passes when the test says so."""

    mono = 0

    def mono_ms(self) -> int:
        return self.mono


@pytest.fixture
def clock() -> SteppedClock:
    return SteppedClock()


@pytest.fixture
async def keystore(store: Store, tmp_path: Path, clock: SteppedClock) -> Keystore:
    made = Keystore(store=store, clock=clock, events=EventLog(store=store, clock=clock), costs=CHEAP)
    await made.start(find_passphrase(tmp_path, None, {}))
    return made


async def guess(keystore: Keystore) -> None:
    with pytest.raises(WrongPassphrase):
        await keystore.unlock(secret_bytes("hunter2"))


async def wait_asked(keystore: Keystore, passphrase: str = "hunter2") -> int:
    with pytest.raises(TooManyAttempts) as refused:
        await keystore.unlock(secret_bytes(passphrase))
    wait = refused.value.facts["retryAfterMs"]
    assert isinstance(wait, int)
    return wait


async def test_after_three_wrong_passphrases_the_waits_double_up_to_a_minute(
    keystore: Keystore, clock: SteppedClock
) -> None:
    await guess(keystore)
    await guess(keystore)
    waits = []
    for _ in range(9):
        await guess(keystore)
        waits.append(await wait_asked(keystore))
        clock.mono += waits[-1]
    assert waits == [1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000, 60_000]


async def test_the_right_passphrase_has_to_wait_too_and_ends_the_waits(
    keystore: Keystore, clock: SteppedClock, tmp_path: Path
) -> None:
    right = generated_passphrase(tmp_path)
    for _ in range(3):
        await guess(keystore)
    clock.mono += await wait_asked(keystore, right) - 1
    assert await wait_asked(keystore, right) == 1
    clock.mono += 1
    await keystore.unlock(secret_bytes(right))
    await guess(keystore)
    await guess(keystore)
    await keystore.unlock(secret_bytes(right))
    assert not keystore.locked


async def unlocking(keystore: Keystore) -> None:
    await keystore.unlock(secret_bytes("hunter2"))


async def changing(keystore: Keystore) -> None:
    await keystore.change_passphrase(secret_bytes("hunter2"), secret_bytes("mine"))


async def exporting(keystore: Keystore) -> None:
    (key,) = keystore.keys()
    await keystore.export(key, secret_bytes("hunter2"), secret_bytes("mine"))


ATTEMPTS = {"unlock": unlocking, "changePassphrase": changing, "exportKey": exporting}


def test_every_call_that_takes_the_passphrase_is_known_here() -> None:
    takes = {name for name, method in METHODS.items() if "passphrase" in method.params.model_fields}
    assert takes - {"importKey"} == set(ATTEMPTS), "importKey opens a text of the caller's own, not the vault"


@pytest.mark.parametrize("guesses", ATTEMPTS)
@pytest.mark.parametrize("then", ATTEMPTS)
async def test_attempts_at_any_call_are_counted_together_and_slow_down_all_of_them(
    keystore: Keystore, clock: SteppedClock, guesses: str, then: str
) -> None:
    await keystore.create("lotus")
    for _ in range(3):
        with pytest.raises(WrongPassphrase):
            await ATTEMPTS[guesses](keystore)
    with pytest.raises(TooManyAttempts):
        await ATTEMPTS[then](keystore)
    clock.mono += 1_000
    with pytest.raises(WrongPassphrase):
        await ATTEMPTS[then](keystore)
    assert await wait_asked(keystore) == 2_000


async def test_attempts_at_the_same_time_are_slowed_down_as_those_in_turn(keystore: Keystore) -> None:
    await keystore.create("lotus")
    calls = [attempt(keystore) for attempt in (*ATTEMPTS.values(), *ATTEMPTS.values(), *ATTEMPTS.values())]
    raised = await asyncio.gather(*calls, return_exceptions=True)
    assert [type(each) for each in raised] == [WrongPassphrase] * 3 + [TooManyAttempts] * 6
