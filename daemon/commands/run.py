"""`musigd run`: one daemon in the foreground, until it is told to stop."""

from __future__ import annotations

import argparse
import asyncio
import gc
import os
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import structlog

from config.logging import configure_logging
from config.output.outlet import Outlet
from config.output.printed import printing_into_the_log
from config.running_settings import RunningSettings
from config.settings import Settings
from daemon.commands.settings import IGNORED, datadir_from, settings_from
from daemon.errors import EXIT_CONFIGURATION, EXIT_FAILURE, DaemonError
from daemon.host.datadir import Datadir, holder_of
from daemon.host.memory import GARBAGE, give_back
from daemon.host.process_limits import forbid_core_dumps, require_open_files
from daemon.host.signals import SIGNALS
from daemon.host.slow_disk import off_loop
from daemon.host.systemd_notify import Notifier, feed_watchdog
from daemon.reload import Reload
from daemon.upkeep import datadir_parts
from p2p.errors import NetworkError
from rpc.errors import ListenError
from rpc.ports import Reloaded

if TYPE_CHECKING:
    from daemon.app import App

log = structlog.get_logger("musigd")

# Three threads hand work to each other: event loop, libp2p, the store's writer. At Python's own 5 ms a message may wait
# that long for the interpreter at each crossing: a 2-of-2 took 12.9 ms, and takes 8.9 ms at half a millisecond.
SWITCH_SECONDS = 0.0005
LAST_LINES_SECONDS = 1.0  # for log lines still queued when the daemon ends: their reader may hang


class StartFailed(DaemonError):
    """A listener could not be opened; the sentence names the setting."""

    exit_code = EXIT_CONFIGURATION


def run(arguments: argparse.Namespace) -> int:
    """Run until SIGTERM or SIGINT; exit codes as in errors.py."""
    settings = settings_from(arguments)
    outlet = configure_logging(settings.log.level, settings.log.format)
    try:
        with printing_into_the_log():
            return _run(arguments, settings, outlet)
    finally:
        outlet.close(LAST_LINES_SECONDS)


def _run(arguments: argparse.Namespace, settings: Settings, outlet: Outlet) -> int:
    if settings.ignored_variables:
        log.info(IGNORED, variables=list(settings.ignored_variables))
    sys.setswitchinterval(SWITCH_SECONDS)
    require_open_files()
    forbid_core_dumps()
    path = datadir_from(arguments)
    if holder_of(path) is None:
        _refuse(path, settings, new_database=arguments.new_database)
    SIGNALS.keep()
    datadir = Datadir.claim(path)
    try:
        if arguments.new_database:
            _refuse(path, settings, new_database=True)
            datadir_parts.give_up_former(path)
        return asyncio.run(_Run(settings, datadir, lambda: settings_from(arguments), outlet).main())
    finally:
        datadir.close()


def _refuse(path: Path, settings: Settings, *, new_database: bool) -> None:
    """Raises what would end a start in this directory, before anything is written there."""
    found = datadir_parts.look(path, settings.keys.passphrase_file, os.environ)
    if new_database:
        datadir_parts.refuse_new_database(path, found)
    else:
        datadir_parts.is_first_start(path, found)


def _collect_again() -> None:
    """Collect garbage from here on, but not what the start has made, which stays."""
    if not gc.isenabled():
        give_back()
        GARBAGE.begin()


class _Run:
    """One run: start, serve, stop. A second stop signal ends the process at once."""

    def __init__(
        self, settings: Settings, datadir: Datadir, read_again: Callable[[], Settings], outlet: Outlet
    ) -> None:
        self._settings = RunningSettings(settings, read_again)
        self._outlet = outlet
        self._datadir = datadir
        self._notifier = Notifier(os.environ)
        self._asked_to_stop = asyncio.Event()
        self._hung_up = asyncio.Event()
        self._one_reload = asyncio.Lock()

    async def main(self) -> int:
        SIGNALS.attend(asyncio.get_running_loop(), self._hear)
        await asyncio.sleep(0)  # handle signals that came while the data directory was claimed
        code = 0 if self._asked_to_stop.is_set() else await self._start_and_serve()
        SIGNALS.leave(code)
        return code

    async def _start_and_serve(self) -> int:
        app = self._make_app()
        starting = asyncio.ensure_future(self._start(app))
        stopping = asyncio.ensure_future(self._asked_to_stop.wait())
        try:
            await asyncio.wait({starting, stopping}, return_when=asyncio.FIRST_COMPLETED)
            if starting.done():
                starting.result()
                await self._serve(app)
        finally:
            stopping.cancel()
            starting.cancel()
            with suppress(asyncio.CancelledError, DaemonError):
                await starting
            clean = await self._stop(app)
        return 0 if clean else EXIT_FAILURE

    def _make_app(self) -> App:
        from daemon.app import App  # noqa: PLC0415 - a second of loading: first it was said what is wrong otherwise

        try:
            return App(
                self._settings.current,
                self._datadir,
                lambda: self._outlet.state,
                self._settings,
                on_stop=self._asked_to_stop.set,
                on_reload=self._reload,
            )
        except NetworkError as error:  # an address that cannot be used
            raise StartFailed(str(error)) from error

    def _hear(self, number: signal.Signals) -> None:
        if number is signal.SIGHUP:
            self._hung_up.set()  # during the start too: the settings may have changed after they were read
        elif self._asked_to_stop.is_set():
            log.warning("stopped at once, by a second signal")
            self._outlet.close(LAST_LINES_SECONDS)
            os._exit(EXIT_FAILURE)  # everything that must survive is already on the disk
        else:
            self._asked_to_stop.set()

    async def _start(self, app: App) -> None:
        try:
            await app.start()
        except (NetworkError, ListenError) as error:
            raise StartFailed(str(error)) from error
        status = f"rpc {app.server.url}, peer {app.network.peer_text}"
        self._notifier.ready(status)
        log.info(
            "musigd is ready",
            keys="locked" if app.keystore.locked else "unlocked",
            version=app.version,
            network=self._settings.current.network,
            rpc=app.server.url,
            peer=app.network.peer_text,
            datadir=str(self._datadir.path),
            pid=os.getpid(),
        )
        _collect_again()

    async def _serve(self, app: App) -> None:
        """Serve until asked to stop: reload on SIGHUP, feed the watchdog."""
        reloading = asyncio.ensure_future(self._reload_when_asked(app))
        proofs = {"the store": lambda: app.store.write(lambda conn: None), "libp2p": app.network.answers}
        watchdog = asyncio.ensure_future(feed_watchdog(self._notifier, proofs))
        await self._asked_to_stop.wait()
        log.info("stopping")
        self._notifier.stopping()
        watchdog.cancel()
        reloading.cancel()
        await app.drain()

    async def _stop(self, app: App) -> bool:
        try:
            await app.stop()
        except ExceptionGroup as group:
            for error in group.exceptions:
                log.error("a part did not stop cleanly", error=type(error).__name__, detail=str(error))
            return False
        return True

    async def _reload_when_asked(self, app: App) -> None:
        while True:
            await self._hung_up.wait()
            self._hung_up.clear()
            await self._reload(app)

    async def _reload(self, app: App) -> Reloaded:
        """Apply what can be changed while running, one reload at a time; returns what `/reload` answers."""
        async with self._one_reload:
            self._notifier.reloading()
            became = await Reload(app, self._settings).run()
            await off_loop(lambda: self._outlet.flush(LAST_LINES_SECONDS))  # the caller may read the log next
            self._notifier.reloaded()
            return became
