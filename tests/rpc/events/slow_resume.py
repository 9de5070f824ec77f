"""A client is cut off at random 100 times while 10,000 events pass, and its daemon is killed -9 twice.

It must see every seq exactly once, in order.    python -m tests.rpc.events.slow_resume [events]
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import sys
import tempfile
from pathlib import Path

from musigd_client import Client, ClientError
from musigd_client.endpoint import DataDir

CUTS = 100
KILLS = 2
AT_ONCE = 50
PEER = "12D3KooWRBhwfeP2Y4TCx1SM6s9rUoHhR5STiGwxBhgFRcw3UERE"


class Daemon:
    """One `musigd run`, which can be killed and started again on the same data directory."""

    def __init__(self, datadir: Path) -> None:
        self.datadir = datadir
        self.process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        command = [sys.executable, "-m", "daemon.main", "run", "--datadir", str(self.datadir), "--network", "resume"]
        command += ["--rpc-listen", "127.0.0.1:0", "--p2p-listen", "/ip4/127.0.0.1/tcp/0"]
        environment = {**os.environ, "MUSIGD_P2P__MDNS": "false"}
        self.process = await asyncio.create_subprocess_exec(
            *command, env=environment, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL
        )
        client = Client(DataDir(self.datadir))
        async with asyncio.timeout(180):
            while True:
                try:
                    await client.get_info()
                    break
                except ClientError:
                    await asyncio.sleep(0.1)
        await client.close()

    async def kill(self) -> None:
        assert self.process is not None
        self.process.kill()
        await self.process.wait()


class CuttingProxy:
    """Stands between client and daemon, and cuts every connection when told."""

    def __init__(self, behind: Path, folder: Path) -> None:
        self._behind = behind
        self.folder = folder
        self._writers: set[asyncio.StreamWriter] = set()
        self.cuts = 0

    async def start(self) -> None:
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        said = {"rpc": f"http://127.0.0.1:{port}/rpc", "ws": f"ws://127.0.0.1:{port}/ws", "pid": os.getpid()}
        (self.folder / "endpoint.json").write_text(json.dumps(said))
        (self.folder / ".cookie").symlink_to(self._behind / ".cookie")

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            port = int(json.loads((self._behind / "endpoint.json").read_text())["rpc"].split(":")[2].split("/")[0])
            there, back = await asyncio.open_connection("127.0.0.1", port)
        except (OSError, ValueError):
            writer.transport.abort()
            return
        self._writers |= {writer, back}
        await asyncio.gather(_pump(reader, back), _pump(there, writer))
        self._writers -= {writer, back}

    def cut(self) -> None:
        if self._writers:
            self.cuts += 1
        for writer in list(self._writers):
            writer.transport.abort()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(1 << 16):
            writer.write(data)
            await writer.drain()
    except ConnectionError:
        pass  # cut: that is what this is about
    writer.transport.abort()


async def make_events(daemon: Daemon, total: int) -> None:
    """Bans a peer again and again, each an event, until the log is long enough; kills the daemon on the way."""
    kill_at = [total * (number + 1) // (KILLS + 1) for number in range(KILLS)]
    client = Client(DataDir(daemon.datadir), patience_s=0)
    while (position := (await client.get_info()).next_seq) <= total:
        wanted = min(AT_ONCE, total + 1 - position)
        bans = (client.ban_peer(peer_id=PEER, duration_ms=1) for _ in range(wanted))
        killing = bool(kill_at) and position >= kill_at[0]
        work = asyncio.gather(*bans, return_exceptions=killing)
        if killing:
            kill_at.pop(0)
            await asyncio.sleep(0.01)
            await daemon.kill()
            await work
            await daemon.start()
        else:
            await work
    await client.close()


async def listen(proxy: CuttingProxy, total: int) -> list[int]:
    """Hears everything, and cuts its own connections at random places of the stream."""
    places = set(random.Random(1).sample(range(1, total), min(CUTS, total // 2)))
    heard: list[int] = []
    async with Client(DataDir(proxy.folder)) as client:
        async for event in client.events(from_seq=1):
            heard.append(event["seq"])
            if event["seq"] in places:
                proxy.cut()
            if event["seq"] >= total:
                break
    return heard


async def main(total: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        places = [Path(folder) / name for name in ("daemon", "proxy")]
        for place in places:
            place.mkdir(mode=0o700)
        daemon, proxy = Daemon(places[0]), CuttingProxy(*places)
        await daemon.start()
        await proxy.start()
        listening = asyncio.ensure_future(listen(proxy, total))
        await make_events(daemon, total)
        async with asyncio.timeout(180):
            heard = await listening
        await daemon.kill()
    whole = heard == list(range(1, heard[-1] + 1))
    sys.stdout.write(
        f"{len(heard)} events, {proxy.cuts} cuts, {KILLS} kills: {'every seq once' if whole else 'WRONG'}\n"
    )
    if not whole:
        raise SystemExit(1)


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000))
