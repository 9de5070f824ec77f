"""The page: built files without any data, under a policy that lets them talk to this daemon and to nobody else.

The files are made from clients/page by `make page` and are kept in the tree, so that nothing has to be built to run.
The views are addresses of their own, and all of them are answered with the one document; the script in it shows what
the address names. Nothing is looked up in a file system by what a client sends: a path is one of a few, or it is none.
"""

from __future__ import annotations

import gzip
import re
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from importlib.resources import files
from typing import Final

from aiohttp import web

_DOCUMENT: Final = "index.html"
_ASSETS: Final = {"page.js": "text/javascript", "page.css": "text/css", "icon.svg": "image/svg+xml"}
_VIEWS: Final = re.compile(r"/(?:market|requests(?:/new|/[0-9a-f]{64})?|sessions(?:/[0-9a-f]{64})?|node)?")

# `require-trusted-types-for` has the browser refuse every assignment of text as markup, whatever the script does.
_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
)
_HEADERS: Final = {
    "Cache-Control": "no-cache",  # kept, and asked for again by its tag: a new version of the daemon shows at once
    "Content-Security-Policy": _POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "Vary": "Accept-Encoding",
    "X-Content-Type-Options": "nosniff",
}


@dataclass(frozen=True)
class _File:
    body: bytes
    content_type: str

    @cached_property
    def tag(self) -> str:
        return f'W/"{sha256(self.body).hexdigest()[:32]}"'

    @cached_property
    def compressed(self) -> bytes:
        return gzip.compress(self.body, mtime=0)


class Page:
    """What a browser loads, without a token. Each file is read and compressed when it is first asked for, and kept."""

    def __init__(self) -> None:
        self._read: dict[str, _File] = {}

    def serves(self, path: str) -> bool:
        """Whether this path is a view or one of the files that the views load."""
        return _name_of(path) is not None

    def response(self, request: web.BaseRequest) -> web.Response:
        """The answer to a request for a path that `serves` knows; 304 when the browser has that version."""
        name = _name_of(request.path)
        assert name is not None, "ask serves() first"
        found = self._file(name)
        headers = _HEADERS | {"ETag": found.tag}
        if found.tag in request.headers.get("If-None-Match", ""):
            return web.Response(status=304, headers=headers)
        body = found.body
        if "gzip" in request.headers.get("Accept-Encoding", ""):
            body, headers = found.compressed, headers | {"Content-Encoding": "gzip"}
        return web.Response(body=body, content_type=found.content_type, charset="utf-8", headers=headers)

    def _file(self, name: str) -> _File:
        if name not in self._read:
            body = files("rpc.server").joinpath("static", name).read_bytes()
            self._read[name] = _File(body, _ASSETS.get(name, "text/html"))
        return self._read[name]


def _name_of(path: str) -> str | None:
    if _VIEWS.fullmatch(path):
        return _DOCUMENT
    name = path.removeprefix("/assets/")
    return name if name != path and name in _ASSETS else None
