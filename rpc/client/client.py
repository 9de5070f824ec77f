"""The asyncio client: every method typed, calls over HTTP, events over a WebSocket that resumes by itself.

client = await Client.connect(datadir=Path("..."))
key = await client.create_key(scheme="lotus")
async for event in client.events(from_seq=key.seq): ...
"""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import aiohttp
import orjson

from rpc.client.endpoint import Endpoint, Locator, locator_of
from rpc.client.errors import CallFailed, ClientError, NotAuthorised, Unreachable, result_of
from rpc.client.following import HeardEvent, follow
from rpc.client.methods import Methods
from rpc.client.patience import WAITING, through_restarts
from rpc.client.socket import SocketClient, open_socket

__all__ = ["CallFailed", "Client", "ClientError", "HeardEvent", "NotAuthorised", "Unreachable"]


class Client(Methods):
    """A client of one daemon. `connect` makes it; use it with `async with`, or `close` it.

    After a restart of the daemon it finds it again, with its new port and cookie.
    """

    def __init__(self, locator: Locator) -> None:
        self._locator = locator
        self._endpoint: Endpoint | None = None
        self._session: aiohttp.ClientSession | None = None
        self._ids = itertools.count(1)

    @classmethod
    async def connect(
        cls,
        *,
        datadir: Path | None = None,
        url: str | None = None,
        token: str | None = None,
        token_file: Path | None = None,
    ) -> Self:
        """A client of the daemon of that data directory, or at that URL, or where the environment says.

        Raises Unreachable or NotAuthorised when it does not answer.
        """
        client = cls(locator_of(datadir=datadir, url=url, token=token, token_file=token_file))
        try:
            await client.get_info()
        except BaseException:
            await client.close()
            raise
        return client

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Closes the connections; safe to repeat."""
        if self._session is not None:
            await self._session.close()
        self._session = None

    async def call(self, method: str, **params: Any) -> Any:
        """One call with params as on the wire, and its result as JSON; raises CallFailed or Unreachable.

        When the token is refused or nothing answers, place and token are looked up again once: the daemon may have
        restarted. A call that was already under way is not repeated, but for those with `waitMs`, which only read: they
        go on waiting while the daemon restarts, for as long as `waitMs` says.
        """
        wait_ms = params.get("waitMs")
        if method in WAITING and isinstance(wait_ms, int):
            return await through_restarts(lambda left_ms: self._call(method, {**params, "waitMs": left_ms}), wait_ms)
        return await self._call(method, params)

    async def _call(self, method: str, params: Mapping[str, Any]) -> Any:
        session, endpoint = self._connection()
        body = orjson.dumps({"jsonrpc": "2.0", "id": next(self._ids), "method": method, "params": params})
        try:
            return result_of(await _post(session, endpoint, body))
        except (NotAuthorised, _NobodyThere):
            moved = await self._look_again(endpoint)
            if moved is None:
                raise
            return result_of(await _post(self._connection()[0], moved, body))

    async def socket(self) -> SocketClient:
        """A WebSocket of its own; close it when done."""
        await self._look_again(self._connection()[1])
        session, endpoint = self._connection()
        return await open_socket(session, endpoint)

    def events(
        self,
        *,
        from_seq: int | None = None,
        log_id: str | None = None,
        events: Sequence[str] | None = None,
        filter_: Mapping[str, str] | None = None,
    ) -> AsyncIterator[HeardEvent]:
        """Events from `from_seq` on (0: the oldest kept; None: from now), each exactly once, for ever.

        Breaks of the connection and restarts of the daemon are bridged. `events:gap` is passed on: read the lists
        again. Raises Unreachable or NotAuthorised only when the first connection fails, or the token is refused.
        """
        asked = {"events": events, "filter": filter_}
        params = {name: value for name, value in asked.items() if value is not None}
        return follow(self.socket, from_seq=from_seq, log_id=log_id, params=params)

    def _connection(self) -> tuple[aiohttp.ClientSession, Endpoint]:
        if self._session is None or self._endpoint is None:
            self._endpoint = self._locator.locate()
            path = self._endpoint.socket
            connector = None if path is None else aiohttp.UnixConnector(path=path)
            self._session = aiohttp.ClientSession(connector=connector, timeout=aiohttp.ClientTimeout(total=120))
        return self._session, self._endpoint

    async def _look_again(self, before: Endpoint) -> Endpoint | None:
        """The endpoint when it is another one than `before`; None when nothing has changed."""
        found = self._locator.locate()
        if found == before:
            return None
        if found.socket != before.socket:
            await self.close()
        self._endpoint = found
        return self._connection()[1]


class _NobodyThere(Unreachable):
    """The connection was refused, so the call was not carried out."""


async def _post(session: aiohttp.ClientSession, endpoint: Endpoint, body: bytes) -> Any:
    headers = {"Content-Type": "application/json"}
    if endpoint.token is not None:
        headers["Authorization"] = f"Bearer {endpoint.token}"
    try:
        async with session.post(endpoint.url, data=body, headers=headers) as response:
            return orjson.loads(await response.read())
    except aiohttp.ClientConnectorCertificateError as problem:
        raise Unreachable(
            f"the certificate at {endpoint.url} is not trusted here: add it to this machine's certificates"
        ) from problem
    except aiohttp.ClientConnectorError as problem:
        raise _NobodyThere(endpoint.silence) from problem
    except (aiohttp.ClientError, OSError, TimeoutError) as problem:
        raise Unreachable(
            "the connection broke before the answer came; the call may have been carried out"
        ) from problem
    except orjson.JSONDecodeError as problem:
        raise ClientError("what answers there does not speak JSON-RPC; check the address") from problem
