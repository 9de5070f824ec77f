"""The check of `musigd doctor` from outside: what the peers of a running daemon found when they dialled it back."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any, Final

from musigd_client import Client, ClientError
from musigd_client.endpoint import DataDir

PATIENCE_S: Final = 5.0


def seen_from_outside(datadir: Path) -> tuple[str, str, str] | None:
    """(verdict, how it was found, remedy or "") of the daemon that runs here; None if none answers that knows."""
    try:
        told = asyncio.run(_info(datadir))
    except (ClientError, TimeoutError, OSError, ValueError):
        return None
    found: dict[str, Any] | None = told.get("reachability")
    if found is None:  # a daemon from before it, which still runs
        return None
    remedy = next((each["remedy"] for each in told["problems"] if each["reason"] == "not_reachable"), "")
    through = len(found["relays"])
    how = found["how"] + (f" It is reached through {through} relays." if through else "")
    return found["verdict"], how, remedy


async def _info(datadir: Path) -> dict[str, Any]:
    async with asyncio.timeout(PATIENCE_S), Client(DataDir(datadir, by_socket=True)) as client:
        told: dict[str, Any] = await client.call("getInfo")
        return told
