"""The JavaScript peer as a process that is told what to do and says what happened, and what it is made of."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path
from typing import Any

from tests.clients.typescript.node_programs import node, npm, run, version_of

PEER = Path(__file__).with_name("peer")
VECTORS = ("@bitauth/libauth@3", "@noble/curves@2", "@noble/hashes@2", "@scure/btc-signer@2", "cborg@4")
LIBP2P = (
    *("libp2p@3", "@chainsafe/libp2p-noise@17", "@chainsafe/libp2p-yamux@8", "@libp2p/circuit-relay-v2@4"),
    *("@libp2p/crypto@5", "@libp2p/gossipsub@17", "@libp2p/identify@4", "@libp2p/kad-dht@16", "@libp2p/peer-id@6"),
    *("@libp2p/ping@3", "@libp2p/tcp@11", "@libp2p/websockets@10", "@multiformats/multiaddr@13", "multiformats@14"),
)
BUNDLE = ("buffer@6", "esbuild@0.28")
NEEDED = 22  # the oldest Node on which js-libp2p 3 runs
ANSWER_S = 60


def with_libp2p() -> tuple[str, Path]:
    """A Node that js-libp2p runs on, from npm where the one of this machine is older, and the folder of the peer."""
    found = node()
    if version_of(found) >= NEEDED:
        return found, installed(*VECTORS, *LIBP2P, *BUNDLE)
    folder = installed(*VECTORS, *LIBP2P, *BUNDLE, f"node@{NEEDED}")
    return str(folder / "node_modules/node/bin/node"), folder


def installed(*packages: str) -> Path:
    """The peer's programs in a folder with these packages, which stay there."""
    folder = Path(__file__).parents[2] / "build/strangers" / ("vectors" if packages == VECTORS else "peer")
    folder.mkdir(parents=True, exist_ok=True)
    done, asked = folder / "installed", "\n".join(packages)
    if not done.exists() or done.read_text() != asked:
        (folder / "package.json").write_text('{"private": true, "type": "module"}')
        run([npm(), "install", "--silent", "--no-audit", "--no-fund", *packages], folder)
        done.write_text(asked)
    shutil.copytree(PEER, folder, dirs_exist_ok=True)
    shutil.copy(PEER.with_name("vectors.mjs"), folder)
    return folder


class Failed(Exception):
    """The peer could not do what it was told."""


class Stranger:
    """One running peer; `said` is every line that is no answer to a command."""

    def __init__(self, tell: Callable[[str], Awaitable[None]]) -> None:
        """`tell`: gives it a line."""
        self._tell = tell
        self._numbers = count(1)
        self._answers: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self.said: list[dict[str, Any]] = []
        self._news = asyncio.Condition()

    async def says(self, line: str | bytes) -> None:
        """It says a line."""
        told = json.loads(line)
        if told.get("number") in self._answers:
            self._answers.pop(told["number"]).set_result(told)
            return
        async with self._news:
            self.said.append(told)
            self._news.notify_all()

    async def do(self, what: str, **values: Any) -> dict[str, Any]:
        """Have it carry out a command; its answer. Raises Failed."""
        number = next(self._numbers)
        answer = self._answers[number] = asyncio.get_running_loop().create_future()
        await self._tell(json.dumps({"do": what, "number": number, **values}))
        async with asyncio.timeout(ANSWER_S):
            told = await answer
        if told["said"] == "failed":
            raise Failed(f"{what}: {told['message']}")
        return told

    async def heard(self, **values: Any) -> dict[str, Any]:
        """Wait for a line with these values."""

        def found() -> list[dict[str, Any]]:
            return [told for told in self.said if values.items() <= told.items()]

        try:
            async with asyncio.timeout(ANSWER_S), self._news:
                await self._news.wait_for(found)
        except TimeoutError:
            raise Failed(f"waited {ANSWER_S} s for {values}; it said {self.said[-10:]}") from None
        return found()[0]

    @property
    def faults(self) -> list[dict[str, Any]]:
        """What it found wrong with others."""
        return [told for told in self.said if told["said"] == "fault"]


@asynccontextmanager
async def stranger(program: str, folder: Path, network: str, *words: str) -> AsyncIterator[Stranger]:
    """A peer in Node; `words`: its seed in hex, and where to listen."""
    async with running(program, str(folder / "process.mjs"), network, *words) as peer:
        yield peer


@asynccontextmanager
async def running(*command: str, environment: Mapping[str, str] | None = None) -> AsyncIterator[Stranger]:
    """A peer that is a process, from when it is ready."""
    pipe = asyncio.subprocess.PIPE
    environ = {**os.environ, **(environment or {})}
    process = await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe, env=environ)
    assert process.stdin is not None
    assert process.stdout is not None
    stdin, stdout = process.stdin, process.stdout

    async def tell(line: str) -> None:
        stdin.write(line.encode() + b"\n")

    async def listen() -> None:
        async for line in stdout:
            await peer.says(line)

    peer = Stranger(tell)
    listening = asyncio.create_task(listen())
    try:
        await peer.heard(said="ready")
        yield peer
    finally:
        listening.cancel()
        if process.returncode is None:
            process.kill()
        await process.wait()
