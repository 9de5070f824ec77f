"""A disk that hangs delays only the caller that waits for it: neither the event loop nor the end of the process."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from config.running_settings import RunningSettings
from config.settings import Settings
from daemon.access import tokens as tokens_module
from daemon.access.tokens import Tokens
from daemon.api.settings import SettingsMethods
from daemon.events import EventLog
from daemon.host.slow_disk import off_loop
from daemon.keys.passphrase import PassphraseFile
from daemon.store import Store
from rpc.caller import OWNER, Caller, Scope
from rpc.models.wire import NoParams
from tests.daemon_ops.ops_world import SettableClock, started

BOUND_S = 20.0


async def while_it_hangs(hanging: Callable[[Callable[..., Any]], Any]) -> Any:
    """Await `hanging` with a function that returns only after the event loop has run."""
    loop_went_on = threading.Event()

    def hang(*arguments: Any, **named: Any) -> Any:
        assert loop_went_on.wait(BOUND_S), "the event loop stood still"

    working = asyncio.ensure_future(hanging(hang))
    await asyncio.sleep(0)
    loop_went_on.set()
    return await working


async def test_the_cookie_is_written_beside_the_loop(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = SettableClock()
    tokens = Tokens(store=store, clock=clock, events=EventLog(store=store, clock=clock))

    def hanging(hang: Callable[..., Any]) -> Any:
        monkeypatch.setattr(tokens_module, "write_private", hang)
        return tokens.make_cookie(tmp_path)

    assert await while_it_hangs(hanging) == tmp_path / ".cookie"


async def test_the_passphrase_is_read_beside_the_loop(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def hanging(hang: Callable[..., Any]) -> Any:
        monkeypatch.setattr(PassphraseFile, "read", lambda _: hang() or bytearray(b"open sesame"))
        return started(store, tmp_path, configured=tmp_path / "pipe")

    assert not (await while_it_hangs(hanging)).locked


async def test_settings_are_read_again_beside_the_loop() -> None:
    def hanging(hang: Callable[..., Any]) -> Any:
        def read_again() -> Settings:
            hang()
            return Settings()

        service = SettingsMethods(RunningSettings(Settings(), read_again))
        return service.get_settings(Caller(OWNER, frozenset(Scope), keys=None, create_key=True), NoParams())

    assert (await while_it_hangs(hanging)).problem is None


async def test_an_error_in_the_disk_thread_reaches_the_caller() -> None:
    def fail() -> None:
        raise OSError("no disk")

    with pytest.raises(OSError, match="no disk"):
        await off_loop(fail)


def test_a_process_ends_while_its_disk_still_hangs() -> None:
    code = """
import asyncio, threading
from daemon.host.slow_disk import off_loop
from daemon.keys.passphrase import PassphraseFile
async def main():
    try:
        async with asyncio.timeout(0.01):
            await off_loop(threading.Event().wait)
    except TimeoutError:
        print("gave up")
asyncio.run(main())
"""
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=BOUND_S, check=True)
    assert (ended.stdout, ended.stderr) == ("gave up\n", "")
