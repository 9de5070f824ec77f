"""Daemons on machines of their own that lose packets: every session ends in a signature, in its first attempt.

python -m tests.namespaces.slow_loss [--loss 20] [--signers 3] [--sessions 20]
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from daemon.demo.wallet import Wallet
from tests.e2e.fleet import advertise_all
from tests.e2e.steps import Steps
from tests.e2e.vessels import NAMES, Vessel, start_together
from tests.namespaces.lab import Lab, NoLab


async def one_session(wallets: Sequence[Wallet]) -> float:
    """From the request to the signature at everybody, in seconds."""
    begun = time.monotonic()
    steps = Steps(wallets, autoAdvance=True)
    await steps.announce()
    await steps.join()
    await steps.final()
    assert await steps.attempts() == [1] * len(wallets), "it took another attempt"
    return time.monotonic() - begun


@asynccontextmanager
async def daemons(lab: Lab, root: Path) -> AsyncIterator[list[Wallet]]:
    """One on each machine, each with an advertised key."""
    made = [
        Vessel(root, name, "lab", address=lab.address(index), within=lab.within(index))
        for index, name in enumerate(NAMES[: len(lab.machines)])
    ]
    try:
        for vessel in made:
            vessel.environment["MUSIGD_P2P__PRIVATE_ADDRESSES"] = "true"
        await start_together(made)
        wallets = [vessel.wallet for vessel in made]
        await advertise_all(wallets, "lotus")
        yield wallets
    finally:
        await asyncio.gather(*(vessel.close() for vessel in made))


def show(what: str, seconds: Sequence[float]) -> None:
    print(f"{what:<40} median {statistics.median(seconds):6.2f} s   longest {max(seconds):6.2f} s", flush=True)


async def measure(lab: Lab, loss: int, sessions: int) -> None:
    """The same without loss, and with loss from before the daemons start."""
    with tempfile.TemporaryDirectory() as folder:
        async with daemons(lab, Path(folder)) as wallets:
            show(f"{sessions} sessions, no loss", [await one_session(wallets) for _ in range(sessions)])
    lab.lose(loss)
    begun = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        async with daemons(lab, Path(folder)) as wallets:
            show(f"started and found each other, {loss} % loss", [time.monotonic() - begun])
            show(f"{sessions} sessions, {loss} % loss", [await one_session(wallets) for _ in range(sessions)])
            together = await asyncio.gather(*(one_session(wallets) for _ in range(sessions)))
            show(f"{sessions} sessions at once, {loss} % loss", together)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--loss", type=int, default=20, help="per cent of the packets (default: 20)")
    parser.add_argument("--signers", type=int, default=3, choices=range(2, len(NAMES) + 1))
    parser.add_argument("--sessions", type=int, default=20)
    asked = parser.parse_args()
    try:
        with Lab(asked.signers) as lab:
            asyncio.run(measure(lab, asked.loss, asked.sessions))
            seen, lost = lab.packets()
    except NoLab as error:
        print(f"make test-namespaces cannot run here: {error}.", file=sys.stderr)
        return 2
    print(
        f"{lost} of {seen} packets were lost ({100 * lost / seen:.1f} %); every session was signed in its first attempt"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
