"""Small real things for the tests of this directory: cheap key derivation, a clock to set, a keystore that starts."""

from __future__ import annotations

from pathlib import Path

from daemon.clock import SystemClock
from daemon.events import EventLog
from daemon.keys.keystore import Keystore
from daemon.keys.passphrase import find_passphrase
from daemon.keys.sealing import KdfCost
from daemon.keys.vault import Costs
from daemon.store import Store

CHEAP = Costs(chosen=KdfCost(1, 8192), generated=KdfCost(1, 8192))
SECRET = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
NEGATED = "1c4f3bbd6703e3eb65040b37669046da93009b024aad0cef1b3cc57157e388ec"  # the group order minus SECRET


class SettableClock(SystemClock):
    now_ms = 1_800_000_000_000

    def wall_ms(self) -> int:
        return self.now_ms


async def started(
    store: Store, datadir: Path, configured: Path | None = None, events: EventLog | None = None
) -> Keystore:
    clock = SettableClock()
    told = EventLog(store=store, clock=clock) if events is None else events
    keystore = Keystore(store=store, clock=clock, events=told, costs=CHEAP)
    await keystore.start(find_passphrase(datadir, configured, {}))
    return keystore


def secret_bytes(text: str) -> bytearray:
    """A secret in the form in which the keystore takes it."""
    return bytearray(text.encode())


def generated_passphrase(datadir: Path) -> str:
    return (datadir / "passphrase").read_text().strip()
