"""Reports when the daemon's small files are removed or replaced, and makes again those that clients need.

Socket, cookie and endpoint.json are made again at once. The identity is written again when the owner asks for it
(`musigd reload`): it may have been removed on purpose. The passphrase is not kept in memory, so its loss can only be
reported.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Final

import structlog

from daemon.host.own_files import Loss, OwnFiles
from daemon.store import DatabaseGone
from daemon.tasks import BackgroundTasks

EVERY_S: Final = 2.0

log = structlog.get_logger("musigd.files")

Renewal = Callable[[], Awaitable[object]]


class FileWatch:
    """Checks every two seconds. Each loss is logged once."""

    def __init__(self, files: OwnFiles, store_gone: Callable[[], DatabaseGone | None]) -> None:
        """`store_gone`: what the store says of database and lock; where these are lost, nothing is made again."""
        self.files = files
        self._store_gone = store_gone
        self._renewals: dict[Path, Renewal] = {}
        self._remedies: dict[Path, Mapping[Loss, tuple[str, str]]] = {}
        self._needed: dict[Path, Callable[[], bool]] = {}
        self._told: set[str] = set()
        self._tasks = BackgroundTasks("files")

    def keep(self, path: Path, renewal: Renewal) -> None:
        """Make the file again when it is lost, until `let_go`."""
        self._renewals[path] = renewal
        self.files.know(path)

    def tell_of(
        self, path: Path, remedies: Mapping[Loss, tuple[str, str]], needed: Callable[[], bool] = lambda: True
    ) -> None:
        """Report (reason, remedy) when the file is lost, as long as it is `needed`."""
        self._remedies[path] = remedies
        self._needed[path] = needed
        self.files.know(path)

    def let_go(self) -> None:
        """The daemon is stopping, and removes its files itself."""
        for path in self._renewals:
            self.files.forget(path)
        self._renewals.clear()

    def problems(self) -> list[tuple[str, str]]:
        """(reason, remedy) of each file that is lost now."""
        return [self._said_of(path, loss) for path, loss in self._missed()]

    async def start(self) -> None:
        self._tasks.lasting("look", self._look_on)

    async def stop(self) -> None:
        await self._tasks.stop()

    async def look(self) -> None:
        """Check once: log what is lost, and make again what clients need."""
        gone = self._store_gone()
        if gone is not None:
            self._tell(gone.reason, str(gone))
        for path, loss in self._missed():
            if (renewal := self._renewals.get(path)) is None or gone is not None:
                self._tell(*self._said_of(path, loss))
            else:
                await self._renew(path, loss, renewal)

    def _missed(self) -> list[tuple[Path, Loss]]:
        lost = self.files.lost().items()
        return [(path, loss) for path, loss in lost if path not in self._needed or self._needed[path]()]

    async def _look_on(self) -> None:
        while True:
            await asyncio.sleep(EVERY_S)
            await self.look()

    async def _renew(self, path: Path, loss: Loss, renewal: Renewal) -> None:
        try:
            await renewal()
        except Exception as error:  # noqa: BLE001 - told; it is tried again at the next look
            reason, remedy = self._said_of(path, loss)
            self._tell(reason, f"{remedy} ({error})")
            return
        self.files.know(path)
        log.warning("a file of the daemon was lost and is made again", file=str(path), loss=loss.value)

    def _said_of(self, path: Path, loss: Loss) -> tuple[str, str]:
        if path in self._remedies:
            return self._remedies[path][loss]
        return "file_lost", (
            f"{path}, by which clients find the daemon, was {loss.value}, and could not be made again yet: make its "
            "directory writable for the daemon, and remove what is in its place."
        )

    def _tell(self, reason: str, remedy: str) -> None:
        if remedy not in self._told:
            self._told.add(remedy)
            log.error("a file of the daemon is lost", reason=reason, remedy=remedy)
