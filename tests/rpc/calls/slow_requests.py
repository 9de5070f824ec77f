"""50,000 generated requests over HTTP to one server process: a valid response each, no -32603, no growth of memory.

python -m tests.rpc.calls.slow_requests [number]
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import sys
from http.client import HTTPConnection
from multiprocessing.connection import Connection
from pathlib import Path

from hypothesis import HealthCheck, Phase, given, settings

from tests.rpc.calls.generated_requests import assert_valid_reply, bodies
from tests.rpc.calls.requests_target import Target
from tests.rpc.rpc_stores import COOKIE

ROUND = 5_000
ALLOWED_GROWTH = 8_000_000  # bytes, after the first round has warmed every cache
HEADERS = {"Authorization": f"Bearer {COOKIE}", "Content-Type": "application/json"}


def serve(pipe: Connection) -> None:
    async def run() -> None:
        pipe.send(await (await Target.make()).listen())
        await asyncio.get_running_loop().run_in_executor(None, pipe.recv)

    asyncio.run(run())


def send(connection: HTTPConnection, count: int) -> None:
    @settings(
        max_examples=count,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(body=bodies)
    def all_of_them(body: bytes) -> None:
        connection.request("POST", "/rpc", body, HEADERS)
        response = connection.getresponse()
        text = response.read()
        assert response.status in {200, 204}, text
        assert_valid_reply(text or None)

    all_of_them()


def resident(pid: int) -> int:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def main() -> None:
    total = int(sys.argv[1]) if len(sys.argv) > 1 else 50_000
    ours, theirs = multiprocessing.Pipe()
    server = multiprocessing.get_context("spawn").Process(target=serve, args=(theirs,), daemon=True)
    server.start()
    connection = HTTPConnection("127.0.0.1", ours.recv(), timeout=180)
    assert server.pid is not None
    warm = 0
    for done in range(ROUND, total + ROUND, ROUND):
        send(connection, ROUND)
        used = resident(server.pid)
        warm = warm or used
        sys.stdout.write(f"{done:>7} requests, {used / 1e6:.1f} MB\n")
        sys.stdout.flush()
        if used > warm + ALLOWED_GROWTH:
            raise SystemExit("memory grows")
    ours.send(None)


if __name__ == "__main__":
    main()
