"""A daemon whose standard error is full, and is read by nobody: it starts, answers, and stops in time."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path

import aiohttp
import orjson
import pytest

from tests.start.commands import DEADLINE_S, Environment, daemon_process, until_ready

pytestmark = pytest.mark.network


def full_pipe() -> tuple[int, int]:
    """A pipe that takes not one more byte."""
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    try:
        while True:
            os.write(writer, b"x" * 512)
    except BlockingIOError:
        os.set_blocking(writer, True)
    return reader, writer


async def asked(datadir: Path, path: str) -> str:
    """The text that a GET of this path is answered with."""
    endpoint = orjson.loads((datadir / "endpoint.json").read_bytes())
    headers = {"Authorization": f"Bearer {(datadir / '.cookie').read_text()}"}
    url = endpoint["rpc"].removesuffix("/rpc") + path
    async with aiohttp.ClientSession(headers=headers) as session, session.get(url) as answer:
        assert answer.status == 200
        return await answer.text()


async def test_a_daemon_works_although_nobody_reads_its_log(tmp_path: Path) -> None:
    reader, writer = full_pipe()
    noisy = Environment(flags=("--log-level", "debug"))
    try:
        async with asyncio.timeout(DEADLINE_S), daemon_process(noisy, tmp_path, stderr=writer) as (process, states):
            assert await until_ready(states, asyncio.ensure_future(process.wait()))
            await asked(tmp_path / "data", "/livez")
            (waiting,) = [
                line
                for line in (await asked(tmp_path / "data", "/metrics")).splitlines()
                if line.startswith("musigd_log_queued_bytes ")
            ]
            assert int(waiting.split()[1]) > 0
            process.send_signal(signal.SIGTERM)
            assert await process.wait() == 0
    finally:
        os.close(reader)
        os.close(writer)


async def test_a_failed_start_ends_though_nobody_reads_why(tmp_path: Path) -> None:
    reader, writer = full_pipe()
    (tmp_path / "data").write_text("a file")
    try:
        async with asyncio.timeout(DEADLINE_S), daemon_process(Environment(), tmp_path, stderr=writer) as (process, _):
            assert await process.wait() == 2
    finally:
        os.close(reader)
        os.close(writer)
