"""Runs the demo from start to end: processes, scenario, output, and nothing left behind."""

from __future__ import annotations

import asyncio
import errno
import json
import os
import secrets
import shutil
import signal
import sys
import tempfile
from collections.abc import Coroutine
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from config.output.outermost import EXIT_INTERRUPTED
from config.output.outlet import Outlet
from config.output.terminal import STDOUT, complain
from daemon.demo.processes import DaemonFailed, Daemons, DemoDaemon
from daemon.demo.scenario import Result, Scenario
from daemon.demo.transcript import DemoTranscript
from daemon.demo.wallet import Wallet, WalletFailed
from daemon.errors import EXIT_FAILURE
from daemon.host.signals import SIGNALS
from musigd_client import Client, ClientError

NAMES = ("Alice", "Bob", "Carol", "Dave", "Erin", "Frank", "Grace", "Heidi", "Ivan", "Judy")
LAST_LINES_SECONDS = 1.0  # for who reads the transcript, once the demo is stopped or has failed


@dataclass(frozen=True, slots=True)
class DemoOptions:
    """`signers` 2 to 20, `messages` 1 to 100: one input of the transaction and one signature each."""

    signers: int = 3
    scheme: str = "lotus"
    messages: int = 1
    json: bool = False
    keep: bool = False


def run_demo(options: DemoOptions) -> int:
    """Run the demo; 0 when a verified signature stands at the end, 1 after a failure, 130 when interrupted."""
    outlet = Outlet(STDOUT)
    code = asyncio.run(_run(options, DemoTranscript(outlet)))
    SIGNALS.leave(EXIT_INTERRUPTED)  # no daemon runs any more, but whoever reads the output may never come
    outlet.close(None if code == 0 else LAST_LINES_SECONDS)
    if (failure := outlet.state.failure) in {None, os.strerror(errno.EPIPE)}:  # the reader has gone: no failure
        return code
    complain(f"musigd: standard output cannot be written: {failure}.")
    return code or EXIT_FAILURE


async def _run(options: DemoOptions, transcript: DemoTranscript) -> int:
    main = asyncio.ensure_future(_play_in_a_directory(options, transcript))
    asked: list[signal.Signals] = []

    def stop(number: signal.Signals) -> None:
        if not asked:  # once: a second one must not cut off what stops the daemons, which takes eight seconds at most
            main.cancel()
        asked.append(number)

    SIGNALS.attend(asyncio.get_running_loop(), stop)
    try:
        await main
    except asyncio.CancelledError:
        transcript.note("\nStopped. No process and no file is left.")
        return 0 if options.keep and "verify" in transcript.milliseconds else EXIT_INTERRUPTED
    except (DaemonFailed, WalletFailed, ClientError, OSError) as error:
        complain(f'\nThe demo failed in "{transcript.phase_name}": {error}')
        return 1
    return 0


async def _play_in_a_directory(options: DemoOptions, transcript: DemoTranscript) -> None:
    root = Path(tempfile.mkdtemp(prefix="musigd-demo-"))
    daemons = Daemons(root, f"demo-{secrets.token_hex(4)}")
    try:
        await _play(options, daemons, transcript)
    finally:
        try:
            await asyncio.shield(daemons.stop())
        finally:
            shutil.rmtree(root, ignore_errors=True)


async def _play(options: DemoOptions, daemons: Daemons, transcript: DemoTranscript) -> None:
    transcript.note(
        f"musigd demo: {options.signers} signers, scheme {options.scheme}, {options.messages} message(s). "
        "Everything runs on this machine."
    )
    with transcript.phase("start", "Starting the daemons"):
        started = await _start(options.signers, daemons, transcript)
    result = await _while_all_run(daemons, _sign(started, options, transcript))
    _show(result, transcript)
    if options.keep:
        _tell_how_to_reach(started, transcript)
    if options.json:
        transcript.note(json.dumps(_as_json(result, transcript)))
    if options.keep:
        await daemons.one_ended()


async def _sign(started: list[DemoDaemon], options: DemoOptions, transcript: DemoTranscript) -> Result:
    async with AsyncExitStack() as open_wallets:
        wallets = []
        for daemon in started:
            wallet = Wallet(daemon.name, daemon, await Client.connect(datadir=daemon.datadir))
            open_wallets.push_async_callback(wallet.close)
            await wallet.open()
            wallets.append(wallet)
        return await Scenario(wallets, options.scheme, options.messages, transcript).play()


async def _while_all_run(daemons: Daemons, playing: Coroutine[Any, Any, Result]) -> Result:
    """The result, or DaemonFailed as soon as a daemon ends by itself: nothing would ever be heard from it."""
    play, watch = asyncio.ensure_future(playing), asyncio.ensure_future(daemons.one_ended())
    try:
        await asyncio.wait({play, watch}, return_when=asyncio.FIRST_COMPLETED)
        return await watch if watch.done() else play.result()
    finally:
        for task in (play, watch):
            task.cancel()
        await asyncio.gather(play, watch, return_exceptions=True)


async def _start(signers: int, daemons: Daemons, transcript: DemoTranscript) -> list[DemoDaemon]:
    """The first daemon alone, then the others with its address as their bootstrap."""
    names = [NAMES[index] if index < len(NAMES) else f"Wallet{index + 1}" for index in range(signers)]
    first = await daemons.start(names[0], ())
    rest = await asyncio.gather(*(daemons.start(name, (first.multiaddr,)) for name in names[1:]))
    for daemon in (first, *rest):
        transcript.say(daemon.name, f"pid {daemon.process.pid}, {daemon.multiaddr}")
    return [first, *rest]


def _show(result: Result, transcript: DemoTranscript) -> None:
    transcript.figure("aggregated public key", result.aggregated_pubkey)
    for msg, signature in zip(result.messages, result.signatures, strict=True):
        transcript.figure("message (the hash that the key path signs)", msg)
        transcript.figure("signature", signature)
    transcript.figure("signed transaction", result.transaction)
    spent = transcript.milliseconds
    signing = sum(spent[phase] for phase in ("join", "round1", "round2"))
    transcript.note(f"\nDone: {signing:,.0f} ms from the first join to the signature at every signer.")


def _as_json(result: Result, transcript: DemoTranscript) -> dict[str, object]:
    return {
        "scheme": result.scheme,
        "aggregatedPublicKey": result.aggregated_pubkey,
        "message": result.messages[0],
        "signature": result.signatures[0],
        "messages": result.messages,
        "signatures": result.signatures,
        "transaction": result.transaction,
        "milliseconds": transcript.milliseconds,
    }


def _tell_how_to_reach(started: list[DemoDaemon], transcript: DemoTranscript) -> None:
    transcript.note("\nThe daemons stay up until Ctrl-C. Paste one of these:")
    cli = Path(sys.executable).parent / "musig-cli"
    for daemon in started:
        cookie = f'$(cat "{daemon.datadir / ".cookie"}")'
        body = '{"jsonrpc":"2.0","id":1,"method":"getInfo"}'
        transcript.note(f"  {daemon.name}")
        transcript.note(
            f"    curl -s -H \"Authorization: Bearer {cookie}\" -H 'Content-Type: application/json' "
            f"-d '{body}' {daemon.endpoint['rpc']}"
        )
        transcript.note(f'    "{cli}" --datadir "{daemon.datadir}" listSessions')
