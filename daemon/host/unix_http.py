"""One HTTP request to the daemon on this machine, through its unix socket."""

from __future__ import annotations

import os
import socket
from http.client import HTTPConnection
from pathlib import Path
from typing import Any


class UnixHttpConnection(HTTPConnection):
    """As its base. Raises OSError when nobody answers at the socket within `timeout_s`."""

    def __init__(self, path: Path, timeout_s: float) -> None:
        super().__init__("localhost", timeout=timeout_s)
        self._path = path

    def connect(self) -> None:
        """Open the socket."""
        self.sock: Any = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(os.fspath(self._path))
