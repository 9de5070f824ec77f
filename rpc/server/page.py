"""The static page, with a policy that lets it run its own script and talk to this daemon, and nothing else."""

from __future__ import annotations

import base64
import re
from hashlib import sha256
from importlib.resources import files

from aiohttp import web


class StaticPage:
    """Read once. It holds no data: it takes the token from the owner and calls the API like any client."""

    def __init__(self) -> None:
        self._html = files("rpc.server").joinpath("page.html").read_bytes()
        text = self._html.decode()
        self._policy = (
            f"default-src 'none'; connect-src 'self' ws: wss:; base-uri 'none'; form-action 'none'; "
            f"frame-ancestors 'none'; script-src {_hash_of(text, 'script')}; style-src {_hash_of(text, 'style')}"
        )

    def response(self) -> web.Response:
        """The page."""
        return web.Response(
            body=self._html,
            content_type="text/html",
            charset="utf-8",
            headers={
                "Content-Security-Policy": self._policy,
                "Referrer-Policy": "no-referrer",
                "X-Content-Type-Options": "nosniff",
            },
        )


def _hash_of(text: str, tag: str) -> str:
    content = re.search(f"<{tag}>(.*?)</{tag}>", text, re.DOTALL)
    assert content is not None, f"page.html has one {tag} element"
    return f"'sha256-{base64.b64encode(sha256(content[1].encode()).digest()).decode()}'"
