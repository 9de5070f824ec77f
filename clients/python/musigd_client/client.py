"""The asyncio client: every method typed, calls over HTTP, events over a WebSocket that resumes automatically."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any

from musigd_client.endpoint import AnyPath, Endpoint, Locator, locator_of
from musigd_client.errors import CallFailed, NotAuthorised, NotFound, Unreachable
from musigd_client.failures import NobodyThere
from musigd_client.followed import HeardEvent, RequestProgress
from musigd_client.following import follow
from musigd_client.methods.all import Methods
from musigd_client.models.sessions import FinalSignature
from musigd_client.patience import PATIENCE_S, RepeatedCall, SignaturePace
from musigd_client.wire import result_of

if TYPE_CHECKING:
    from typing_extensions import Self

    from musigd_client.socket import SocketClient
    from musigd_client.transport import Transport


class Client(Methods):
    """A client of one daemon. Make it with `connect`; use it in `async with`, or `close` it.

    client = await Client.connect(datadir=Path("..."))
    key = await client.create_key(scheme="lotus")
    async for event in client.events(from_seq=key.seq): ...

    After a restart of the daemon it finds it again, with its new port and cookie. Calls go on meanwhile, for
    `patience_s` seconds; a change is made again with the same idempotency key, so it is carried out once. Those that
    carry a secret (`import_key`, `unlock`, `change_passphrase`, `create_token`, `create_webhook`) take no such key and
    are not repeated once they may have arrived.
    """

    def __init__(self, locator: Locator, *, patience_s: float = PATIENCE_S) -> None:
        """Does not connect; `Client.connect` also asks whether the daemon answers."""
        self._locator = locator
        self._patience_s = patience_s
        self._closings = 0
        self._endpoint: Endpoint | None = None
        self._transport: Transport | None = None
        self._ids = itertools.count(1)

    @classmethod
    async def connect(
        cls,
        *,
        datadir: AnyPath | None = None,
        url: str | None = None,
        token: str | None = None,
        token_file: AnyPath | None = None,
        socket: AnyPath | None = None,
        patience_s: float = PATIENCE_S,
    ) -> Self:
        """A client of the daemon of that data directory, or at that URL or unix socket, or where the environment says.

        Raises Unreachable or NotAuthorised when it does not answer: it does not wait for a daemon that is away.
        `patience_s`: how long a later call goes on while the daemon is away, in seconds; 0: not at all.
        """
        locator = locator_of(datadir=datadir, url=url, token=token, token_file=token_file, socket=socket)
        client = cls(locator, patience_s=0)
        try:
            await client.get_info()
        except BaseException:
            await client.close()
            raise
        client._patience_s = patience_s
        return client

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connections; calls that wait for a daemon fail. Safe to repeat."""
        self._closings += 1
        await self._disconnect()

    async def _disconnect(self) -> None:
        if self._transport is not None:
            await self._transport.close()
        self._transport = None

    async def call(self, method: str, **params: Any) -> Any:
        """One call with params as on the wire, and its result as JSON; raises CallFailed or Unreachable.

        While the daemon is away, or asks to wait, the call is made again for as long as the client's patience lasts,
        or as its `waitMs` says. Place and token are looked up again each time. Repeat a change that raised Unreachable
        only if the key that it was called with, `idempotencyKey`, was yours.
        """
        attempts = RepeatedCall(asyncio.get_running_loop().time, method, params, self._patience_s)
        closings = self._closings
        while True:
            try:
                return await self._call(method, attempts.params())
            except (Unreachable, CallFailed) as problem:
                pause = attempts.after(problem)
            await asyncio.sleep(pause)
            if self._closings != closings:
                raise Unreachable("the client was closed before the answer came; the call may have been carried out")

    async def _call(self, method: str, params: Mapping[str, Any]) -> Any:
        transport, endpoint = self._connection()
        said = {"jsonrpc": "2.0", "id": next(self._ids), "method": method, "params": params}
        body = json.dumps(said, separators=(",", ":"), allow_nan=False).encode()
        try:
            return result_of(await transport.post(endpoint, body))
        except (NotAuthorised, NobodyThere):
            moved = await self._look_again(endpoint)
            if moved is None:
                raise
            return result_of(await self._connection()[0].post(moved, body))

    async def socket(self) -> SocketClient:
        """Open another WebSocket; close it when done."""
        await self._look_again(self._connection()[1])
        transport, endpoint = self._connection()
        return await transport.open_socket(endpoint)

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
        again. Raises Unreachable or CallFailed only when the first connection fails; later CallFailed if the daemon
        refuses for good, as NotAuthorised does: one that stops, or asks to wait, is asked again.
        `filter_` is as on the wire: `{"requestId": ...}`.
        """
        asked = {"events": events, "filter": filter_}
        params = {name: value for name, value in asked.items() if value is not None}
        return follow(self.socket, from_seq=from_seq, log_id=log_id, params=params)

    async def wait_for_signature(self, *, request_id: str, timeout_s: float | None = None) -> FinalSignature:
        """The signature of a request, once it is there: through its attempts and through restarts of the daemon.

        Raises Declined, Cancelled, Expired or Aborted when there will be none; NotReady, whose `data` name who is late,
        when `timeout_s` are over; Unreachable when the daemon stays away for a minute.
        """
        pace = SignaturePace(asyncio.get_running_loop().time, timeout_s)
        while True:
            try:
                return await self.get_final_signature(request_id=request_id, wait_ms=pace.wait_ms())
            except CallFailed as problem:
                pause = pace.after(problem)
            await asyncio.sleep(pause)

    async def follow_request(self, *, request_id: str) -> AsyncIterator[RequestProgress]:
        """How far a request is: at once, and again whenever that has changed; ends when the request has ended."""
        start = await self.get_info()
        told = await self._progress(request_id)
        yield told
        if told.ended:
            return
        events = self.events(from_seq=start.next_seq, log_id=start.log_id, filter_={"requestId": request_id})
        async for _ in events:
            now = await self._progress(request_id)
            if now != told:
                told = now
                yield told
            if told.ended:
                return

    async def _progress(self, request_id: str) -> RequestProgress:
        request = await self.get_signing_request(request_id=request_id)
        try:
            return RequestProgress(request, await self.get_session(session_id=request.session_id))
        except NotFound:
            return RequestProgress(request, None)

    def _connection(self) -> tuple[Transport, Endpoint]:
        if self._transport is None or self._endpoint is None:
            from musigd_client.transport import Transport  # noqa: PLC0415  # aiohttp takes longer to load than all else

            self._endpoint = self._locator.locate()
            self._transport = Transport(self._endpoint.socket)
        return self._transport, self._endpoint

    async def _look_again(self, before: Endpoint) -> Endpoint | None:
        """The endpoint when it is another one than `before`; None when nothing has changed."""
        found = self._locator.locate()
        if found == before:
            return None
        if found.socket != before.socket:
            await self._disconnect()
        self._endpoint = found
        return self._connection()[1]
