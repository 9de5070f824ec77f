"""What a reload does, thing by thing: one that fails keeps what it has, and holds none of the others up."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final

import structlog

from config.logging import set_level
from config.running_settings import RunningSettings
from config.settings import Settings
from config.show import TLS_FILES
from daemon.host.slow_disk import off_loop
from rpc.ports import Reloaded

if TYPE_CHECKING:
    from daemon.app import App

log = structlog.get_logger("musigd")

SETTINGS: Final = "the settings"
POLICY: Final = "the policy"
TLS: Final = "the TLS files"
IDENTITY: Final = "the peer identity"


class Reload:
    """One reload of a daemon. `run` never raises."""

    def __init__(self, app: App, settings: RunningSettings) -> None:
        self._app = app
        self._settings = settings
        self._taken: list[str] = []
        self._unchanged: list[str] = []
        self._failed: dict[str, str] = {}

    async def run(self) -> Reloaded:
        """Each thing once; what became of them is in the log too. The disk may be slow."""
        fresh = self._settings.current
        async with self._trying(SETTINGS):
            fresh = await off_loop(self._settings.read_again)
        async with self._trying(IDENTITY):
            if await self._app.contact.put_identity_back():
                self._taken.append(IDENTITY)
        async with self._trying(POLICY):
            await self._read_policy()
        async with self._trying(TLS):
            await self._read_tls(fresh)
        waiting = self._take_over(fresh)
        self._tell(waiting)
        return {
            "taken": self._taken,
            "unchanged": self._unchanged,
            "needRestart": waiting,
            "failed": self._failed,
        }

    @asynccontextmanager
    async def _trying(self, thing: str) -> AsyncIterator[None]:
        try:
            yield
        except Exception as error:  # noqa: BLE001 - it ends neither the daemon nor the rest of the reload
            self._failed[thing] = str(error)

    async def _read_policy(self) -> None:
        before = self._app.policy.rules.digest
        rules = await self._app.policy.reload()
        await self._app.store.write(self._app.rules_on_record.note)
        if self._app.policy.active:
            (self._unchanged if rules.digest == before else self._taken).append(POLICY)

    async def _read_tls(self, fresh: Settings) -> None:
        cert, key = fresh.rpc.tls_cert, fresh.rpc.tls_key
        if cert is not None and key is not None and self._settings.current.rpc.tls_cert is not None:
            others = await off_loop(lambda: self._app.server.reload_tls(cert, key))
            (self._taken if others else self._unchanged).append(TLS)

    def _take_over(self, fresh: Settings) -> list[str]:
        """Apply the log level; the names of the settings that wait for a restart."""
        set_level(fresh.log.level)
        taken, waiting = self._settings.take_over(fresh, but=TLS_FILES if TLS in self._failed else ())
        self._taken[:0] = taken
        if SETTINGS not in self._failed and not taken and not waiting:
            self._unchanged.insert(0, SETTINGS)
        return list(waiting)

    def _tell(self, waiting: list[str]) -> None:
        log.info("settings read again", taken=self._taken, unchanged=self._unchanged, need_a_restart=waiting)
        for thing, why in self._failed.items():
            log.error("a reload failed for one thing, which stays as it was", thing=thing, detail=why)
