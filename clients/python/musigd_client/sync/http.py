"""One call over HTTP by the standard library alone: a command makes one call and must load little."""

from __future__ import annotations

import http.client
import json
import socket
import ssl
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from musigd_client.endpoint import Endpoint, Locator
from musigd_client.errors import CertificateRefused, ClientError, NotAuthorised, Unreachable
from musigd_client.failures import NobodyThere
from musigd_client.wire import NO_JSON_RPC, result_of

TIMEOUT_S: Final = 120.0


def call(locator: Locator, method: str, params: Mapping[str, Any]) -> Any:
    """The result as JSON; raises CallFailed, NotAuthorised, Unreachable or ClientError.

    When the token is refused or nothing answers, place and token are looked up again once: the daemon may have
    restarted.
    """
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}, allow_nan=False).encode()
    before = locator.locate()
    try:
        return result_of(_post(before, body))
    except (NotAuthorised, NobodyThere):
        found = locator.locate()
        if found == before:
            raise
        return result_of(_post(found, body))


def _post(endpoint: Endpoint, body: bytes) -> Any:
    headers = {"Content-Type": "application/json"}
    if endpoint.token is not None:
        headers["Authorization"] = f"Bearer {endpoint.token}"
    connection = _connection(endpoint)
    try:
        _connect(connection, endpoint)
        try:
            connection.request("POST", urlsplit(endpoint.url).path, body, headers)
            answer = connection.getresponse().read()
        except (OSError, http.client.HTTPException) as problem:
            raise Unreachable(
                "the connection broke before the answer came; the call may have been carried out"
            ) from problem
    finally:
        connection.close()
    try:
        return json.loads(answer)
    except ValueError as problem:
        raise ClientError(NO_JSON_RPC) from problem


def _connection(endpoint: Endpoint) -> http.client.HTTPConnection:
    place = urlsplit(endpoint.url)
    if endpoint.socket is not None:
        return _OverSocket(endpoint.socket)
    kind = http.client.HTTPSConnection if place.scheme == "https" else http.client.HTTPConnection
    return kind(place.hostname or "", place.port, timeout=TIMEOUT_S)


def _connect(connection: http.client.HTTPConnection, endpoint: Endpoint) -> None:
    try:
        connection.connect()
    except ssl.SSLCertVerificationError as problem:
        raise CertificateRefused(endpoint.distrust(problem.verify_message)) from problem
    except (OSError, UnicodeError) as problem:
        raise NobodyThere(endpoint.silence) from problem


class _OverSocket(http.client.HTTPConnection):
    """HTTP through a unix socket."""

    def __init__(self, path: str) -> None:
        super().__init__("localhost", timeout=TIMEOUT_S)
        self._path = path

    def connect(self) -> None:
        """Connect to the unix socket."""
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)
