"""One call of a daemon's API through the file of its unix socket, wherever that daemon runs."""

from __future__ import annotations

import http.client
import json
import socket
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any


def call(at: Path, method: str, **params: Any) -> Any:
    """The result; an answer with an error fails the test."""
    answer = _answer(at, method, params)
    assert "error" not in answer, f"{method} was refused: {answer['error']}"
    return answer["result"]


def refused(at: Path, method: str, **params: Any) -> Any:
    """The error object of a call that must not be carried out."""
    answer = _answer(at, method, params)
    assert "error" in answer, f"{method} was carried out: {answer}"
    return answer["error"]


def _answer(at: Path, method: str, params: Mapping[str, Any]) -> Mapping[str, Any]:
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
    connection = http.client.HTTPConnection("localhost")
    connection.sock = socket.socket(socket.AF_UNIX)
    with closing(connection):
        connection.sock.connect(str(at))
        connection.request("POST", "/rpc", body, {"Content-Type": "application/json"})
        answer: Mapping[str, Any] = json.loads(connection.getresponse().read())
        return answer
