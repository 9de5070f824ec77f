"""How quickly a real daemon answers while it signs: getInfo every 10 ms, alone and beside 50 sessions at a time.

Two daemons on loopback share the machine with this program, so the figures say little on a busy one.
"""

from __future__ import annotations

import argparse
import asyncio
import secrets
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import orjson

from musigd_client import Client
from tests.rpc.rpc_daemons import Pair, two_daemons

AT_ONCE = 50
PAUSE_S = 0.01


async def ask_until(done: asyncio.Event, client: Client) -> list[float]:
    """Milliseconds of each getInfo, one every 10 ms."""
    took: list[float] = []
    while not done.is_set():
        began = time.perf_counter()
        await client.get_info()
        took.append((time.perf_counter() - began) * 1000)
        await asyncio.sleep(PAUSE_S)
    return took


async def join_all(bob: Client, key: str, total: int) -> None:
    """Bob's wallet joins whatever arrives."""
    joined = 0
    async for event in bob.events(from_seq=0, events=["signing-request:received"]):
        await bob.join_signing_request(request_id=event["data"]["requestId"], public_key=key)
        joined += 1
        if joined == total:
            return


async def sign(pair: Pair, keys: list[str], turns: asyncio.Semaphore) -> None:
    async with turns:
        asked = await pair.alice.announce_signing_request(
            required_public_keys=keys, public_key=keys[0], message=secrets.token_hex(32)
        )
        await pair.alice.get_final_signature(request_id=asked.request_id, wait_ms=60_000)


def figures(took: list[float]) -> dict[str, Any]:
    took.sort()
    return {
        "calls": len(took),
        "ms_median": round(statistics.median(took), 2),
        "ms_p99": round(took[int(len(took) * 0.99)], 2),
        "ms_max": round(took[-1], 2),
    }


async def measure(total: int) -> dict[str, Any]:
    """Latency of the daemon that asks for all signatures, alone and at work."""
    with tempfile.TemporaryDirectory() as folder:
        async with two_daemons(Path(folder)) as pair:
            keys = [(await client.create_key(scheme="lotus")).public_key for client in (pair.alice, pair.bob)]
            await pair.alice.subscribe_to_signer_discovery(transaction_types=["spend"])
            await pair.bob.advertise_signer(public_key=keys[1], criteria={"transactionTypes": ["spend"]})
            async for _ in pair.alice.events(from_seq=0, events=["signer:discovered"]):
                break
            return await both(pair, keys, total)


async def both(pair: Pair, keys: list[str], total: int) -> dict[str, Any]:
    async with await Client.connect(datadir=pair.datadirs[0]) as prober:
        quiet = asyncio.Event()
        asyncio.get_running_loop().call_later(3, quiet.set)
        alone = await ask_until(quiet, prober)
        done, turns = asyncio.Event(), asyncio.Semaphore(AT_ONCE)
        probing = asyncio.ensure_future(ask_until(done, prober))
        joining = asyncio.ensure_future(join_all(pair.bob, keys[1], total))
        began = time.perf_counter()
        await asyncio.gather(*(sign(pair, keys, turns) for _ in range(total)))
        seconds = time.perf_counter() - began
        done.set()
        await joining
        return {
            "alone": figures(alone),
            "while_signing": figures(await probing),
            "sessions": total,
            "sessions_per_second": round(total / seconds, 1),
        }


def main() -> None:
    """Prints the figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sessions", type=int, default=300)
    found = asyncio.run(measure(parser.parse_args().sessions))
    sys.stdout.write(orjson.dumps(found, option=orjson.OPT_INDENT_2).decode() + "\n")


if __name__ == "__main__":
    main()
