"""Runs the commands of README that start two daemons on one machine."""

from __future__ import annotations

import asyncio
import json
import os
import re
import secrets
import signal
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.network

README = Path(__file__).parents[2] / "README.md"


async def until_ready(process: asyncio.subprocess.Process, datadir: Path) -> None:
    """Return when the log of the daemon says so; its output is read no further."""
    assert process.stderr is not None
    async with asyncio.timeout(180):
        async for line in process.stderr:
            if b"musigd is ready" in line:
                assert (datadir / "endpoint.json").exists()
                return
    raise AssertionError("the daemon has ended")


async def test_two_daemons_on_one_machine_are_started_and_connected_as_readme_says(tmp_path: Path) -> None:
    block = re.findall(r"```\n(musigd run --datadir alice.*?)```", README.read_text(), re.DOTALL)[0]
    *starts, call = block.strip().splitlines()
    clean = {name: value for name, value in os.environ.items() if not name.startswith("MUSIGD_")}
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    mine = {"PATH": path, "MUSIGD_NETWORK": f"test-{secrets.token_hex(4)}", "MUSIGD_P2P__MDNS": "false"}

    async def run(command: str) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_shell(
            f"exec {command}",
            cwd=tmp_path,
            env=clean | mine,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )

    daemons = []
    try:
        for command, name in zip(starts, ("alice", "bob"), strict=True):
            daemons.append(await run(command))
            await until_ready(daemons[-1], tmp_path / name)
        async with asyncio.timeout(180):
            while not (peers := json.loads((await (await run(call)).communicate())[0])["peers"]):
                pass  # it dials its bootstrap address a moment after it is ready
        assert json.loads((tmp_path / "alice/endpoint.json").read_text())["peerId"] == peers[0]["peerId"]
    finally:
        for daemon in daemons:
            daemon.send_signal(signal.SIGTERM)
        await asyncio.gather(*(daemon.communicate() for daemon in daemons))
