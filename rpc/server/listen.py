"""Listeners: TCP with or without TLS, and the unix socket of the owner."""

from __future__ import annotations

import asyncio
import errno
import hashlib
import os
import resource
import socket
import ssl
import stat
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from aiohttp import web
from aiohttp.web_protocol import RequestHandler

from rpc.config import RpcConfig
from rpc.errors import ListenError
from rpc.server.connection import Connection

_SPARE_FILES = 256  # file descriptors for the rest of the program
MOST_STRANGERS = 256  # connections over which no valid token has come
ACCEPTED_AT_ONCE = 1  # connection, in one turn of the event loop: a flood of them leaves room for calls
QUEUE = 4_096  # connections that wait in the kernel for that


class Listener(web.Server):
    """An HTTP server that, when full, drops its oldest idle connection instead of refusing a new one.

    Connections over which no valid token has come have few places, apart: programs without one cut off each other, and
    never a client between its calls. One half is for those that have asked for what needs no token, as supervisors do.
    """

    def __init__(self, handle: Any, config: RpcConfig, max_connections: int) -> None:
        super().__init__(
            self._count,
            request_factory=self._request,
            handler_cancellation=True,  # cancels calls of clients that have gone; changes run to their end all the same
            access_log=None,
            keepalive_timeout=config.idle_timeout_s,
            lingering_time=config.close_grace_s,
            auto_decompress=False,
        )
        self._handle = handle
        self._max_body_bytes = config.max_body_bytes
        self._max_connections = max_connections
        self._at_work: set[RequestHandler] = set()
        # Connections that have shown no valid token: before their first request, and after one that needs none.
        self._silent: dict[RequestHandler, None] = {}
        self._asked: dict[RequestHandler, None] = {}

    def __call__(self) -> RequestHandler:
        """Called by the event loop for each connection."""
        made = Connection(self, loop=self._loop, **self._kwargs)
        made.on_authorised = self._forget
        return made

    def connection_made(self, handler: RequestHandler, transport: Any) -> None:
        """Called by aiohttp for each connection."""
        super().connection_made(handler, transport)
        self._silent[handler] = None
        if len(self._connections) > self._max_connections:
            everybody = (*self._silent, *self._asked, *self._connections)
            self._drop_one((each for each in everybody if each is not handler), handler)
        elif len(self._silent) > MOST_STRANGERS // 2:
            self._drop_one(self._silent, handler)

    def _drop_one(self, among: Iterable[RequestHandler], otherwise: RequestHandler) -> None:
        """The first of these that is idle; what is dropped already counts as gone, though it is told later."""
        idle = (each for each in among if each not in self._at_work and not self._connections[each].is_closing())
        leaves = next(idle, otherwise)
        self._forget(leaves)
        self._connections[leaves].abort()

    def connection_lost(self, handler: RequestHandler, exc: BaseException | None = None) -> None:
        """Called by aiohttp for each connection."""
        self._forget(handler)
        super().connection_lost(handler, exc)

    def _forget(self, handler: RequestHandler) -> None:
        """It counts among the strangers no more: it has shown a token, or is gone."""
        self._silent.pop(handler, None)
        self._asked.pop(handler, None)

    async def _count(self, request: web.BaseRequest) -> web.StreamResponse:
        self._at_work.add(request.protocol)
        try:
            response: web.StreamResponse = await self._handle(request)
        finally:
            self._at_work.discard(request.protocol)
            self._served(request.protocol)
        if isinstance(request.protocol, Connection) and request.protocol in self._asked:
            wait_s = request.protocol.answered_again_s()
            if wait_s > 0:
                await asyncio.sleep(wait_s)
        return response

    def _served(self, handler: RequestHandler) -> None:
        """A stranger's request has been answered; of those the one that was last answered longest ago leaves first."""
        if handler in self._silent or handler in self._asked:
            self._forget(handler)
            self._asked[handler] = None
            if len(self._asked) > MOST_STRANGERS // 2:
                self._drop_one(self._asked, handler)

    def _request(self, message: Any, payload: Any, protocol: Any, writer: Any, task: Any) -> web.BaseRequest:
        return web.BaseRequest(
            message, payload, protocol, writer, task, self._loop, client_max_size=self._max_body_bytes
        )


def affordable_connections(config: RpcConfig) -> int:
    """The configured number of connections, limited so that the program does not run out of file descriptors.

    The usual soft limit of 1,024 exists for programs that call select(); it is raised as far as needed and allowed.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return config.max_connections
    wanted = config.max_connections + _SPARE_FILES
    if soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return max(1, min(config.max_connections, soft - _SPARE_FILES))


def require_safe(config: RpcConfig) -> None:
    """Raises ListenError for a listener that others can reach without TLS."""
    if (config.tls_cert is None) != (config.tls_key is None):
        raise ListenError("set both rpc.tls_cert and rpc.tls_key, or neither")
    if not config.on_loopback and config.tls_cert is None:
        raise ListenError(
            f"rpc.listen is {config.host}, which others can reach: "
            "set rpc.tls_cert and rpc.tls_key, or listen on 127.0.0.1"
        )


def tls_context(config: RpcConfig) -> ssl.SSLContext | None:
    """The TLS context of new connections; None without TLS files. Raises ListenError for files that do not match."""
    if config.tls_cert is None:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    load_tls_files(context, config)
    return context


def load_tls_files(context: ssl.SSLContext, config: RpcConfig) -> None:
    """Reads certificate and key again; connections made from now on use them."""
    assert config.tls_cert is not None
    try:
        context.load_cert_chain(config.tls_cert, config.tls_key)
    except (OSError, ssl.SSLError) as problem:
        digest_of_tls_files(config)  # says which of them cannot be read
        raise ListenError(
            f"rpc.tls_cert and rpc.tls_key cannot be used ({_fault(problem)}); name a certificate and its key, in PEM"
        ) from problem


def _fault(problem: OSError) -> str:
    """OpenSSL names no reason where a file holds nothing of the kind that is looked for."""
    if isinstance(problem, ssl.SSLError):
        return problem.reason or "one of them holds something else"
    return str(problem.strerror)


def digest_of_tls_files(config: RpcConfig) -> bytes:
    """Tells whether the files hold others than before; empty where there are none. Raises ListenError."""
    named = (("rpc.tls_cert", config.tls_cert), ("rpc.tls_key", config.tls_key))
    return b"".join(hashlib.sha256(_read(name, path)).digest() for name, path in named if path is not None)


def _read(setting: str, path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as problem:
        raise ListenError(
            f"{setting}: {path} cannot be read ({problem.strerror}): correct the path, or its rights"
        ) from problem


def tcp_socket(config: RpcConfig) -> socket.socket:
    """A bound socket; raises ListenError when the address is taken or not of this machine."""
    try:
        found = socket.getaddrinfo(config.host, config.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, kind, protocol, _, address = found[0]
        bound = socket.socket(family, kind, protocol)
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind(address)
    except (OSError, UnicodeError) as problem:  # the latter for a name that cannot be one, such as a..b
        raise ListenError(_cannot_listen(config, problem)) from problem
    return bound


def _cannot_listen(config: RpcConfig, problem: OSError | UnicodeError) -> str:
    place = f"{config.host}:{config.port}"
    code = problem.errno if isinstance(problem, OSError) else None
    if code == errno.EADDRINUSE:
        return f"{place} is in use by another program: stop it, or choose another port in rpc.listen"
    if code == errno.EACCES:
        return f"cannot listen on {place} (Permission denied): choose a port from 1024 on in rpc.listen"
    why = problem.strerror if isinstance(problem, OSError) else "no such host"
    return f"cannot listen on {place} ({why}): correct rpc.listen"


@dataclass(frozen=True, slots=True)
class UnixSocket:
    """A bound socket that only its owner can open, and its file."""

    bound: socket.socket
    path: Path
    inode: int

    @classmethod
    def bind(cls, path: Path) -> Self:
        """Nobody can connect before it listens. Raises ListenError when something else is in its place."""
        try:
            if _is_socket(path):
                path.unlink()  # left over from a killed process, since this one holds the lock of the data directory
            bound = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            bound.bind(os.fspath(path))
            path.chmod(0o600)
            return cls(bound, path, path.lstat().st_ino)
        except OSError as problem:
            raise ListenError(
                f"cannot make the unix socket {path} ({problem.strerror}); remove what is in its place"
            ) from problem

    def remove(self) -> None:
        """Removes the file, unless another one is there now."""
        if _is_socket(self.path) and self.path.lstat().st_ino == self.inode:
            self.path.unlink()


def _is_socket(path: Path) -> bool:
    """Whether it is a socket; a link to one is not, because it is not ours."""
    try:
        return stat.S_ISSOCK(path.lstat().st_mode)
    except FileNotFoundError:
        return False
