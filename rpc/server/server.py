"""The server: wires dispatch, rights, events and listeners together, starts and stops them."""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from aiohttp import web

from rpc.calls.call import UNGUARDED, Changes
from rpc.calls.dispatch import Dispatcher
from rpc.calls.idempotency import Idempotency
from rpc.calls.limits import CallGate, RateLimit
from rpc.calls.stats import Stats
from rpc.config import RpcConfig
from rpc.events.methods import EventMethods
from rpc.events.sockets import Sockets
from rpc.events.subscriptions import Hub
from rpc.ports import (
    EventSource,
    Followed,
    Guard,
    Handlers,
    Health,
    IdempotencyStore,
    Metrics,
    Recorder,
    Reload,
    SchemesOf,
    Stop,
    TokenStore,
)
from rpc.server.assembly import calls_of
from rpc.server.auth import Authenticator
from rpc.server.listen import (
    ACCEPTED_AT_ONCE,
    QUEUE,
    Listener,
    UnixSocket,
    affordable_connections,
    digest_of_tls_files,
    load_tls_files,
    require_safe,
    tcp_socket,
    tls_context,
)
from rpc.server.page import Page
from rpc.server.routes import Routes


async def of_another_daemon(mark: str) -> None:
    """The answer of a server without a data directory to `/stop` and `/reload`."""


def wall_ms() -> int:
    """Milliseconds since 1970."""
    return time.time_ns() // 1_000_000


class RpcServer:
    """Serves the API. `handlers` are those of the program, behind `guard`; what this package answers itself is added.

    `start` opens the listeners and writes nothing else. `drain` refuses changes from then on. `stop` ends everything.
    """

    def __init__(
        self,
        config: RpcConfig,
        handlers: Handlers,
        *,
        events: EventSource,
        tokens: TokenStore,
        idempotency: IdempotencyStore,
        health: Health,
        guard: Guard = UNGUARDED,
        followed: Followed = lambda token_id: (),
        schemes_of: SchemesOf = lambda key: frozenset(),
        metrics: Metrics | None = None,
        recorder: Recorder | None = None,
        stop: Stop = lambda mark: False,
        reload: Reload = of_another_daemon,
        now_ms: Callable[[], int] = wall_ms,
    ) -> None:
        require_safe(config)
        self._config = config
        self._health = health
        self._metrics = metrics
        self._stop = stop
        self._reload = reload
        self._stats = Stats()
        self._stopping = asyncio.Event()
        self._authenticator = Authenticator(tokens, now_ms)
        self._hub = Hub(events, now_ms, config.progress_s)
        rate = RateLimit(config.calls_per_second, int(config.calls_per_second), time.monotonic)
        self._gate = CallGate(config.max_calls_at_once, rate)
        self._changes = Changes(events, Idempotency(idempotency), self._gate, config.max_calls_at_once, recorder)
        as_of_now = self._authenticator.as_of_now
        event_methods = EventMethods(events, followed, self._hub, self._stopping, as_of_now)
        calls = calls_of(handlers, guard, event_methods, config, schemes_of, changes=self._changes, stats=self._stats)
        self._dispatcher = Dispatcher(calls, self._gate, max_batch=config.max_batch)
        self._sockets = Sockets(
            config, tokens=tokens, authenticator=self._authenticator, dispatcher=self._dispatcher, hub=self._hub
        )
        self._tls: ssl.SSLContext | None = None
        self._tls_digest = b""
        self._runners: list[web.ServerRunner] = []
        self._unix: UnixSocket | None = None
        self._unix_site: web.SockSite | None = None
        self._port: int | None = None

    @property
    def port(self) -> int:
        """The TCP port; the real one where 0 was asked for."""
        assert self._port is not None, "the server was not started"
        return self._port

    @property
    def url(self) -> str:
        """Where calls go, as in endpoint.json."""
        return f"{'http' if self._tls is None else 'https'}://{self._authority}/rpc"

    @property
    def ws_url(self) -> str:
        """Where WebSockets go."""
        return f"{'ws' if self._tls is None else 'wss'}://{self._authority}/ws"

    @property
    def _authority(self) -> str:
        host = self._config.called
        return f"[{host}]:{self.port}" if ":" in host else f"{host}:{self.port}"

    async def start(self) -> None:
        """Listens; raises ListenError, which names the setting, when it cannot."""
        self._hub.start()
        self._sockets.start()
        page, most = Page(), affordable_connections(self._config)
        self._tls, self._tls_digest = tls_context(self._config), digest_of_tls_files(self._config)
        try:
            bound = tcp_socket(self._config)
            self._port = bound.getsockname()[1]
            runner = await self._runner(self._routes(page, trusted=False), most)
            await web.SockSite(runner, bound, ssl_context=self._tls, backlog=ACCEPTED_AT_ONCE).start()
            bound.listen(QUEUE)
            if self._config.socket_path is not None:
                await self._listen_for_owner(
                    await self._runner(self._routes(page, trusted=True), most), self._config.socket_path
                )
        except BaseException:
            await self.stop(grace_s=0)
            raise

    async def renew_socket(self) -> None:
        """Opens the unix socket again after its file was lost; connections stay open. Raises ListenError."""
        if self._unix_site is not None and self._config.socket_path is not None:
            await self._unix_site.stop()
            await self._listen_for_owner(self._runners[-1], self._config.socket_path)

    async def _listen_for_owner(self, runner: web.ServerRunner, path: Path) -> None:
        self._unix = UnixSocket.bind(path)
        self._unix_site = web.SockSite(runner, self._unix.bound, backlog=ACCEPTED_AT_ONCE)
        await self._unix_site.start()
        self._unix.bound.listen(QUEUE)

    def drain(self) -> None:
        """Refuse changes from now on; reads, waits and events continue."""
        self._gate.draining = True

    async def stop(self, grace_s: float = 2.0) -> None:
        """Waits a while for running calls, closes WebSockets with 1001, then everything else."""
        self._gate.stopping = True
        self._stopping.set()
        await self._gate.quiet(grace_s)
        await self._changes.settled(grace_s)
        await self._sockets.stop()
        await self._hub.stop()
        for runner in self._runners:
            await runner.cleanup()
        self._runners.clear()
        if self._unix is not None:
            self._unix.remove()

    def reload_tls(self, cert: Path, key: Path) -> bool:
        """Uses these TLS files from now on; whether they hold others than before.

        Raises ListenError and keeps the old ones if they do not match.
        """
        if self._tls is None:
            return False
        config = replace(self._config, tls_cert=cert, tls_key=key)
        tls_context(config)
        load_tls_files(self._tls, config)
        before, self._tls_digest = self._tls_digest, digest_of_tls_files(config)
        return before != self._tls_digest

    def _routes(self, page: Page, *, trusted: bool) -> Routes:
        return Routes(
            self._config,
            authenticator=self._authenticator,
            dispatcher=self._dispatcher,
            gate=self._gate,
            health=self._health,
            metrics=self._metrics_text,
            page=page,
            upgrade=self._sockets.upgrade,
            stop=self._stop,
            reload=self._reload,
            trusted=trusted,
        )

    async def _runner(self, routes: Routes, most: int) -> web.ServerRunner:
        runner = web.ServerRunner(
            Listener(routes.handle, self._config, most), shutdown_timeout=self._config.close_grace_s
        )
        await runner.setup()
        self._runners.append(runner)
        return runner

    def _metrics_text(self) -> str:
        own = self._stats.text(
            {"sockets": len(self._sockets), "subscriptions": len(self._hub), "calls_at_work": self._gate.at_work}
        )
        return own if self._metrics is None else own + self._metrics.text()
