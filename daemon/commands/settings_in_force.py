"""Asks the daemon of a data directory, through its unix socket, for its settings."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any, Final

from config.output.terminal import complain
from config.show import EffectiveSetting, Waiting
from musigd_client import CallFailed, Client, ClientError, Unreachable
from musigd_client.endpoint import DataDir

PATIENCE_S: Final = 5.0


async def settings_of_running(datadir: Path) -> tuple[list[EffectiveSetting], str | None] | None:
    """Its settings, and why a restart would fail; None if none runs there, or it does not answer."""
    try:
        place = DataDir(datadir, by_socket=True)
        async with asyncio.timeout(PATIENCE_S), Client(place, patience_s=0) as client:
            told = await client.call("getSettings")
    except Unreachable:
        return None
    except (ClientError, TimeoutError) as problem:
        why = problem.message if isinstance(problem, CallFailed) else "it does not answer"
        complain(f"musigd: the daemon of {datadir} does not say what it runs with: {why}")
        return None
    return [_setting(each) for each in told["settings"]], told.get("problem")


def _setting(told: dict[str, Any]) -> EffectiveSetting:
    of = told.get("waiting")
    waiting = None if of is None else Waiting(of.get("value"), of["origin"], by_reload=of["byReload"])
    return EffectiveSetting(told["name"], told.get("value"), told["origin"], waiting)
