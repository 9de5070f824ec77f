"""A scan of a real daemon's memory after `lock` finds no private key and no passphrase that it was sent."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest

from daemon.demo.processes import Daemons
from musigd_client import Client

pytestmark = pytest.mark.network

CALLS = 200
CHUNK = 16 * 1024 * 1024


def readable_memory(pid: int) -> Iterator[bytes]:
    """Every readable page of a process, in chunks that overlap by 4 KiB."""
    with Path(f"/proc/{pid}/maps").open() as maps, Path(f"/proc/{pid}/mem").open("rb", buffering=0) as memory:
        for line in maps:
            place, rights, *rest = line.split()
            if "r" not in rights or rest[-1] in {"[vvar]", "[vsyscall]", "[vvar_vclock]"}:
                continue
            start, end = (int(bound, 16) for bound in place.split("-"))
            for at in range(start, end, CHUNK):
                memory.seek(at)
                yield memory.read(min(end - at, CHUNK + 4096))


def count_in_memory(pid: int, needles: dict[str, bytes]) -> dict[str, int]:
    """How often each needle stands in the memory of a process."""
    found = dict.fromkeys(needles, 0)
    for chunk in readable_memory(pid):
        for name, needle in needles.items():
            found[name] += chunk.count(needle)
    return found


def allowed_core(pid: int) -> str:
    """The soft limit for a core dump of that process."""
    limits = Path(f"/proc/{pid}/limits").read_text()
    return next(line.split()[4] for line in limits.splitlines() if line.startswith("Max core file size"))


async def test_no_secret_that_was_sent_over_http_is_in_memory_after_lock(tmp_path: Path) -> None:
    key, marker = secrets.token_hex(32), f"label-{secrets.token_hex(16)}"
    chosen, second = f"chosen {secrets.token_hex(24)}", f"second \u00e4 {secrets.token_hex(24)}"
    daemons = Daemons(tmp_path, f"test-{secrets.token_hex(4)}")
    try:
        daemon = await daemons.start("alice", ())
        assert allowed_core(daemon.process.pid) == "0"  # where memory would go to the disk
        generated = (daemon.datadir / "passphrase").read_text().strip()
        async with await Client.connect(datadir=daemon.datadir) as client:
            await client.call("importKey", privateKey=key, scheme="lotus", label=marker)
            await client.call("createKey", scheme="bip340")
            await client.call("changePassphrase", passphrase=generated, newPassphrase=chosen)
            await client.call("changePassphrase", passphrase=chosen, newPassphrase=second)
            await client.call("lock")
            await client.call("unlock", passphrase=second)
            advertised = (await client.call("listKeys"))["keys"][0]["publicKey"]
            await client.call("advertiseSigner", publicKey=advertised, criteria={"transactionTypes": ["swap"]})
            await client.call("lock")
            for _ in range(CALLS):
                await client.call("getInfo")
            found = count_in_memory(
                daemon.process.pid,
                {
                    "hex": key.encode(),
                    "raw": bytes.fromhex(key),
                    "generated passphrase": generated.encode(),
                    "chosen passphrase": chosen.encode(),
                    "second passphrase": second.encode(),
                    "marker": marker.encode(),
                },
            )
    finally:
        await daemons.stop()
    assert found.pop("marker") > 0, "the scan sees what is in memory"
    assert found == dict.fromkeys(found, 0)
