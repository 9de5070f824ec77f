"""What a wallet's type checker says of the kit: strict, for the oldest Python that it is for."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.clients.python.kit_environment import SOURCE

WALLET = """
from musigd_client import Client, SyncClient
from musigd_client.errors import NotReady
from musigd_client.models.keys import TaprootTweak

async def sign(client: Client, script: SyncClient) -> str:
    key = await client.create_key(scheme="bip340")
    reveal_type(key.public_key)
    reveal_type(script.get_info().multiaddrs)
    async for event in client.events(from_seq=key.seq):
        reveal_type(event["event"])
        break
    reveal_type(TaprootTweak(taproot_merkle_root=None))
    await client.create_key(scheme="schnorr")
    TaprootTweak()
    key.label = "mine"
    return key.seq
"""
SAID = [
    'note: Revealed type is "str"',
    'note: Revealed type is "tuple[str, ...]"',
    'note: Revealed type is "str"',
    'note: Revealed type is "musigd_client.models.keys.TaprootTweak"',
    'error: Argument "scheme" to "create_key" of "KeysMethods" has incompatible type',
    'error: Missing named argument "taproot_merkle_root" for "TaprootTweak"',
    'error: Property "label" defined in "KeyMade" is read-only',
    'error: Incompatible return value type (got "int | None", expected "str")',
]


@pytest.mark.slow
def test_a_strict_type_checker_knows_every_member_and_finds_every_mistake(tmp_path: Path) -> None:
    (tmp_path / "wallet.py").write_text(WALLET)
    (tmp_path / "mypy.ini").write_text(f"[mypy]\nstrict = true\npython_version = 3.10\nmypy_path = {SOURCE}\n")
    command = [sys.executable, "-m", "mypy", "--config-file", "mypy.ini", "wallet.py"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    lines = [line for line in done.stdout.splitlines() if line.startswith("wallet.py")]
    assert [said in line for said, line in zip(SAID, lines, strict=True)] == [True] * len(SAID), done.stdout
