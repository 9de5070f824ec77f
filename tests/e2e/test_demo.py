"""`musigd demo` as a person runs it: a process, its output, its exit code, and what it leaves behind."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from daemon.demo.verify import signature_holds

pytestmark = pytest.mark.network

DEADLINE = 240


@pytest.fixture
def temporary() -> Iterator[Path]:
    """A short directory with a space in its name: the path of a unix socket below it has to fit into 100 bytes."""
    with tempfile.TemporaryDirectory(prefix="t ", dir="/tmp") as path:
        yield Path(path)


async def start_demo(temporary: Path, *options: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", "-m", "daemon.main", "demo", *options),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, "TMPDIR": str(temporary)},
        start_new_session=True,
    )


async def finished(process: asyncio.subprocess.Process) -> tuple[str, str]:
    async with asyncio.timeout(DEADLINE):
        out, err = await process.communicate()
    return out.decode(), err.decode()


@pytest.mark.parametrize(
    ("signers", "scheme", "messages"), [(2, "lotus", 3), (3, "lotus", 1), (3, "bip340", 3), (5, "bip340", 1)]
)
async def test_the_demo_ends_with_signatures_that_verify(
    temporary: Path, signers: int, scheme: str, messages: int
) -> None:
    options = ("--signers", str(signers), "--scheme", scheme, "--messages", str(messages), "--json")

    process = await start_demo(temporary, *options)
    out, err = await finished(process)

    assert process.returncode == 0, out + err
    result = json.loads(out.strip().splitlines()[-1])
    pubkey = bytes.fromhex(result["aggregatedPublicKey"])
    assert result["scheme"] == scheme
    assert len(result["signatures"]) == messages
    for msg, signature in zip(result["messages"], result["signatures"], strict=True):
        assert signature_holds(scheme, pubkey, bytes.fromhex(msg), bytes.fromhex(signature))
    assert list(temporary.iterdir()) == []


async def test_ctrl_c_leaves_no_process_and_no_file(temporary: Path) -> None:
    process = await start_demo(temporary, "--signers", "2")
    pids = await pids_in_transcript(process, 2)

    process.send_signal(signal.SIGINT)
    await finished(process)

    assert process.returncode == 130
    assert not [pid for pid in pids if Path(f"/proc/{pid}").exists()]
    assert list(temporary.iterdir()) == []


@pytest.mark.needs("curl")
async def test_keep_shows_lines_to_paste_that_work(temporary: Path) -> None:
    process = await start_demo(temporary, "--signers", "2", "--keep")
    lines = await lines_until(process, "listSessions", times=2)
    curl = next(line for line in lines if line.strip().startswith("curl"))
    cli = next(line for line in lines if line.strip().endswith("listSessions"))
    try:
        info = json.loads(await shell(curl))
        sessions = json.loads(await shell(cli))
    finally:
        process.send_signal(signal.SIGINT)
        await finished(process)

    assert info["result"]["ready"] is True
    assert sessions["sessions"][0]["phase"] == "complete"
    assert process.returncode == 0
    assert list(temporary.iterdir()) == []


async def test_a_failure_names_the_phase_and_exits_with_1(temporary: Path) -> None:
    process = await start_demo(temporary, "--signers", "2")
    pids = await pids_in_transcript(process, 2)

    os.kill(pids[1], signal.SIGKILL)
    _, err = await finished(process)

    assert process.returncode == 1
    assert err.startswith('\nThe demo failed in "')
    assert "Traceback" not in err
    assert list(temporary.iterdir()) == []


async def pids_in_transcript(process: asyncio.subprocess.Process, count: int) -> list[int]:
    lines = await lines_until(process, " pid ", times=count)
    return [int(line.split(" pid ")[1].split(",")[0]) for line in lines if " pid " in line]


async def lines_until(process: asyncio.subprocess.Process, text: str, times: int) -> list[str]:
    assert process.stdout is not None
    lines: list[str] = []
    async with asyncio.timeout(DEADLINE):
        while sum(text in line for line in lines) < times:
            line = await process.stdout.readline()
            assert line, "the demo ended early: " + "".join(lines)
            lines.append(line.decode().rstrip())
    return lines


async def shell(line: str) -> str:
    process = await asyncio.create_subprocess_shell(line, stdout=asyncio.subprocess.PIPE)
    async with asyncio.timeout(DEADLINE):
        out, _ = await process.communicate()
    assert process.returncode == 0, line
    return out.decode()
