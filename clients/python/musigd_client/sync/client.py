"""The synchronous client: every method typed, one HTTP connection for each call, events by long polling."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from musigd_client.endpoint import AnyPath, Locator, locator_of
from musigd_client.errors import CallFailed, NotFound
from musigd_client.followed import GAP, HeardEvent, RequestProgress
from musigd_client.models.sessions import FinalSignature
from musigd_client.patience import (
    LONGEST_WAIT_MS,
    PATIENCE_S,
    EventPace,
    RepeatedCall,
    SignaturePace,
    repeated,
)
from musigd_client.sync.all import SyncMethods
from musigd_client.sync.http import call

if TYPE_CHECKING:
    from typing_extensions import Self


class SyncClient(SyncMethods):
    """A client of one daemon for programs without an event loop. It needs no close.

    client = SyncClient.connect(datadir=Path("..."))
    print(client.create_key(scheme="lotus").public_key)
    """

    def __init__(self, locator: Locator, *, patience_s: float = PATIENCE_S) -> None:
        self._locator = locator
        self._patience_s = patience_s

    @classmethod
    def connect(
        cls,
        *,
        datadir: AnyPath | None = None,
        url: str | None = None,
        token: str | None = None,
        token_file: AnyPath | None = None,
        socket: AnyPath | None = None,
        patience_s: float = PATIENCE_S,
    ) -> Self:
        """As `Client.connect`. Raises Unreachable or NotAuthorised when the daemon does not answer.

        `patience_s`: how long a later call goes on while the daemon is away, in seconds; 0: not at all.
        """
        locator = locator_of(datadir=datadir, url=url, token=token, token_file=token_file, socket=socket)
        client = cls(locator, patience_s=0)
        client.get_info()
        client._patience_s = patience_s
        return client

    def call(self, method: str, **params: Any) -> Any:
        """As `Client.call`."""
        attempts = RepeatedCall(time.monotonic, method, params, self._patience_s)
        return repeated(lambda: call(self._locator, method, attempts.params()), attempts.after)

    def events(
        self,
        *,
        from_seq: int | None = None,
        log_id: str | None = None,
        events: Sequence[str] | None = None,
        filter_: Mapping[str, str] | None = None,
    ) -> Iterator[HeardEvent]:
        """As `Client.events`: each seq exactly once, for ever, whatever the daemon does meanwhile."""
        if from_seq is None:
            info = SyncClient(self._locator, patience_s=0).get_info()
            from_seq, log_id = info.next_seq, info.log_id
        asked = {"events": events, "filter": filter_}
        params: dict[str, Any] = {name: value for name, value in asked.items() if value is not None}
        page = self._page(params, from_seq, log_id, wait_ms=0)
        while True:
            if page.get("gap"):
                yield {"event": GAP, "time": int(time.time() * 1000), "data": page["gap"]}
            yield from page["events"]
            page = self._next_page(params, int(page["nextSeq"]), str(page["logId"]))

    def _page(self, params: Mapping[str, Any], from_seq: int, log_id: str | None, wait_ms: int) -> Any:
        known = {} if log_id is None else {"logId": log_id}
        return self.call("getEvents", fromSeq=from_seq, waitMs=wait_ms, **known, **params)

    def _next_page(self, params: Mapping[str, Any], from_seq: int, log_id: str) -> Any:
        return repeated(lambda: self._page(params, from_seq, log_id, LONGEST_WAIT_MS), EventPace().after)

    def wait_for_signature(self, *, request_id: str, timeout_s: float | None = None) -> FinalSignature:
        """As `Client.wait_for_signature`."""
        pace = SignaturePace(time.monotonic, timeout_s)
        while True:
            try:
                return self.get_final_signature(request_id=request_id, wait_ms=pace.wait_ms())
            except CallFailed as problem:
                pause = pace.after(problem)
            time.sleep(pause)

    def follow_request(self, *, request_id: str) -> Iterator[RequestProgress]:
        """As `Client.follow_request`."""
        start = self.get_info()
        told = self._progress(request_id)
        yield told
        if told.ended:
            return
        for _ in self.events(from_seq=start.next_seq, log_id=start.log_id, filter_={"requestId": request_id}):
            now = self._progress(request_id)
            if now != told:
                told = now
                yield told
            if told.ended:
                return

    def _progress(self, request_id: str) -> RequestProgress:
        request = self.get_signing_request(request_id=request_id)
        try:
            return RequestProgress(request, self.get_session(session_id=request.session_id))
        except NotFound:
            return RequestProgress(request, None)
