"""`musigd run` with something wrong: one sentence on stderr, the exit code that scripts rely on, and nothing lost."""

from __future__ import annotations

import asyncio
import os
import socket
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

import pytest

from daemon.host.datadir import Datadir
from daemon.keys.identity import make_seed
from daemon.store import Store
from tests.daemon_ops.ops_world import started

pytestmark = pytest.mark.network


async def refused(datadir: Path, *flags: str, **variables: str) -> tuple[int, str]:
    """Start a daemon that cannot start; its exit code, and the one line it says."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith("MUSIGD_")}
    quiet = {
        "MUSIGD_P2P__MDNS": "false",
        "MUSIGD_RPC__LISTEN": "127.0.0.1:0",
        "MUSIGD_P2P__LISTEN": "/ip4/127.0.0.1/tcp/0",
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "daemon.main",
        "run",
        "--datadir",
        str(datadir),
        *flags,
        env=environment | quiet | variables,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(120):
            _, errors = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
    lines = [line for line in errors.decode().splitlines() if " [info " not in line]
    assert len(lines) == 1, errors.decode()
    assert lines[0].startswith("musigd: ")
    assert process.returncode is not None
    return process.returncode, lines[0]


@pytest.fixture
async def datadir(tmp_path: Path) -> Path:
    """A data directory with a key in it, of a daemon that has stopped."""
    path = tmp_path / "datadir"
    Datadir.claim(path).close()
    store = Store.open(path / "musigd.sqlite3")
    await (await started(store, path)).create("lotus")
    make_seed(path)
    await store.close()
    return path


async def test_an_unknown_flag(tmp_path: Path) -> None:
    code, sentence = await refused(tmp_path, "--netwrok", "x")
    assert code == 2
    assert "--netwrok" in sentence


async def test_a_data_directory_that_is_a_file_or_lies_below_one(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for datadir in (tmp_path / "file", tmp_path / "file" / "below"):
        code, sentence = await refused(datadir)
        expected = f"The data directory {datadir} is a file, or inside one: choose another with --datadir."
        assert (code, sentence) == (2, f"musigd: {expected}")


async def test_an_unknown_setting(tmp_path: Path) -> None:
    code, sentence = await refused(tmp_path, MUSIGD_RPC__LISTN="x")
    assert code == 2
    assert "MUSIGD_RPC__LISTEN" in sentence


async def test_an_unreadable_config(tmp_path: Path) -> None:
    (tmp_path / "musigd.toml").write_text("network = ")
    code, sentence = await refused(tmp_path)
    assert code == 2
    assert str(tmp_path / "musigd.toml") in sentence


async def test_a_locked_datadir(datadir: Path) -> None:
    claimed = Datadir.claim(datadir)
    code, sentence = await refused(datadir)
    claimed.close()
    assert code == 3
    assert str(os.getpid()) in sentence


async def test_a_newer_database(datadir: Path) -> None:
    with closing(sqlite3.connect(datadir / "musigd.sqlite3")) as conn:
        conn.execute("PRAGMA user_version=9999")
    code, sentence = await refused(datadir)
    assert code == 3
    assert "9999" in sentence


async def test_a_corrupt_database(datadir: Path) -> None:
    garbage = b"garbage" * 5_000
    (datadir / "musigd.sqlite3").write_bytes(garbage)
    code, sentence = await refused(datadir)
    assert code == 1
    assert "musigd restore" in sentence
    assert (datadir / "musigd.sqlite3").read_bytes() == garbage


async def test_a_wrong_passphrase(datadir: Path, tmp_path: Path) -> None:
    (tmp_path / "wrong").write_text("wrong-passphrase")
    code, sentence = await refused(datadir, MUSIGD_KEYS__PASSPHRASE_FILE=str(tmp_path / "wrong"))
    assert code == 2
    assert "keys.passphrase_file" in sentence
    assert "wrong-passphrase" not in sentence


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        ("MUSIGD_P2P__LISTEN", "/ip4/0.0.0.0/tcp/99999", "p2p.listen: '/ip4/0.0.0.0/tcp/99999' is not a multiaddr"),
        ("MUSIGD_P2P__ANNOUNCE", f"/onion3/{'a' * 56}:4327", "set p2p.socks5"),
    ],
)
async def test_an_address_that_cannot_be_used(datadir: Path, variable: str, value: str, said: str) -> None:
    code, sentence = await refused(datadir, **{variable: value})
    assert code == 2
    assert said in sentence
    assert "should not have happened" not in sentence


@pytest.mark.parametrize("setting", ["rpc.listen", "p2p.listen"])
async def test_a_taken_port(datadir: Path, setting: str) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        if setting == "rpc.listen":
            code, sentence = await refused(datadir, MUSIGD_RPC__LISTEN=f"127.0.0.1:{port}")
        else:
            code, sentence = await refused(datadir, MUSIGD_P2P__LISTEN=f"/ip4/127.0.0.1/tcp/{port}")
    assert code == 2
    assert setting in sentence
    assert not (datadir / "endpoint.json").exists()
