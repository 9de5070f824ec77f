"""A day's worth of traffic, then a search for its secrets wherever they could be left.

`MUSIGD_DAY=1000 pytest -s tests/daemon_ops/keys/test_a_days_traffic.py` is the nightly run: so many rounds, each with a
key that comes, signs and goes, and a token. The counts are printed.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from config.locations import DATABASE_NAME
from daemon.demo.processes import Daemons, DemoDaemon
from daemon.keys import export
from musigd_client import Client
from tests.daemon_ops.keys.test_memory_after_lock import count_in_memory
from tests.daemon_ops.ops_world import secret_bytes

pytestmark = pytest.mark.network

ROUNDS = int(os.environ.get("MUSIGD_DAY", "2"))
RARE = max(2, ROUNDS // 20)  # once in so many rounds: what a passphrase is derived for


class Day:
    """Marked secrets, and everything that was done with them."""

    def __init__(self, client: Client, generated: str) -> None:
        self.client = client
        self.first, self.last = secrets.token_bytes(8), secrets.token_bytes(8)  # of every private key
        self.marker = secrets.token_hex(12)  # in every passphrase
        self.generated = self.passphrase = generated
        self.tokens: list[str] = []
        self.answers: list[str] = []
        self.opened: list[bytes] = []  # keys that the daemon made, known by their export
        self.done: Counter[str] = Counter()

    async def call(self, method: str, **params: Any) -> Any:
        answer = await self.client.call(method, **params)
        self.done[method] += 1
        if method != "createToken":
            self.answers.append(repr(answer))
        return answer

    async def round(self, number: int) -> None:
        key = (self.first + secrets.token_bytes(16) + self.last).hex()
        mine = (await self.call("importKey", privateKey=key, scheme="lotus", label=f"key {number}"))["publicKey"]
        self.tokens.append((await self.call("createToken", scopes=["sign"], publicKeys=[mine]))["token"])
        other = (await self.call("createKey", scheme="lotus"))["publicKey"]
        both = {"requiredPublicKeys": [mine, other], "message": secrets.token_hex(32), "election": None}
        request = (await self.call("announceSigningRequest", publicKey=mine, **both))["requestId"]
        await self.call("joinSigningRequest", requestId=request, publicKey=other)
        assert await self.call("getFinalSignature", requestId=request, waitMs=60_000)
        await self.call("listKeys")
        if number % RARE == 0:
            await self.rarely(other)
        await self.call("deleteKey", publicKey=mine)
        await self.call("deleteKey", publicKey=other)

    async def rarely(self, other: str) -> None:
        chosen, own = (f"{self.marker} {secrets.token_hex(8)}" for _ in range(2))
        await self.call("changePassphrase", passphrase=self.passphrase, newPassphrase=chosen)
        self.passphrase = chosen
        naming = {"publicKey": other, "passphrase": chosen, "exportPassphrase": own}
        text = (await self.call("exportKey", **naming))["sealedKey"]
        with export.opened(export.read(text, "lotus"), secret_bytes(own)).reveal() as view:
            self.opened.append(bytes(view))
        await self.call("lock")
        await self.call("unlock", passphrase=chosen)

    def needles(self) -> dict[str, bytes]:
        keys = {f"key {number}": key for number, key in enumerate(self.opened[-8:])}
        return {
            "begin of a private key": self.first,
            "end of a private key": self.last,
            "begin of a private key, hex": self.first.hex().encode(),
            "end of a private key, hex": self.last.hex().encode(),
            "passphrase": self.marker.encode(),
            "generated passphrase": self.generated.encode(),
            **keys,
            **{f"{name}, hex": key.hex().encode() for name, key in keys.items()},
        }


async def back_up(daemon: DemoDaemon, path: Path) -> None:
    command = [sys.executable, "-P", "-m", "daemon.main", "backup", str(path), "--datadir", str(daemon.datadir)]
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.DEVNULL)
    assert await process.wait() == 0


def files_of(daemon: DemoDaemon, backup: Path) -> Iterator[Path]:
    """Database with its log, everything else in the data directory, what the daemon said, and the backup."""
    yield from (
        path for path in daemon.datadir.rglob("*") if path.is_file() and path.name not in ("passphrase", ".cookie")
    )
    yield daemon.log
    yield backup


async def test_after_a_day_no_secret_is_in_memory_files_logs_answers_or_a_backup(tmp_path: Path) -> None:
    daemons, backup = Daemons(tmp_path, f"test-{secrets.token_hex(4)}"), tmp_path / "backup"
    try:
        daemon = await daemons.start("alice", ())
        async with await Client.connect(datadir=daemon.datadir) as client:
            day = Day(client, (daemon.datadir / "passphrase").read_text().strip())
            for number in range(ROUNDS):
                await day.round(number)
            await back_up(daemon, backup)
            await day.call("lock")
            for _ in range(50):
                await day.call("getInfo")
            needles = day.needles()
            found = {"memory": count_in_memory(daemon.process.pid, {**needles, "control": b"changePassphrase"})}
        tokens = {f"token {number}": token.encode() for number, token in enumerate(day.tokens)}
        for path in files_of(daemon, backup):
            content = path.read_bytes()
            found[path.name] = {name: content.count(what) for name, what in {**needles, **tokens}.items()}
        text = "".join(day.answers).encode()
        found["answers"] = {name: text.count(what) for name, what in {**needles, **tokens}.items()}
    finally:
        await daemons.stop()
    assert found["memory"].pop("control") > 0, "the scan sees what is in memory"
    print(dict(day.done), {place: sum(counts.values()) for place, counts in found.items()})
    assert {DATABASE_NAME, f"{DATABASE_NAME}-wal", "backup", "alice.log", "answers"} <= found.keys()
    assert {place: {name: count for name, count in counts.items() if count} for place, counts in found.items()} == {
        place: {} for place in found
    }
