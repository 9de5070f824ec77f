"""Checks Host, Origin and content type of a request before anything else.

Localhost is no boundary: a page in the owner's browser can send requests here, under a name that resolves to this
address (DNS rebinding) or across sites. Each refusal names the setting that would allow the request, so that nobody
allows everything.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from rpc.config import RpcConfig
from rpc.errors import ApiError

_JSON_TYPES = frozenset({"application/json", "application/json-rpc", "application/jsonrequest"})
_SCHEMES = frozenset({"http", "https"})


@dataclass(frozen=True, slots=True)
class Refusal:
    """A refused request: HTTP status and error."""

    status: int
    error: ApiError


class Doorkeeper:
    """Checks the head of a request that came over TCP."""

    def __init__(self, config: RpcConfig) -> None:
        self._hosts = frozenset(name.lower() for name in config.allowed_hosts)
        if config.on_loopback:  # a loopback address other than the usual one
            self._hosts |= {config.host.lower()}
        self._origins = frozenset(origin.lower().rstrip("/") for origin in config.allowed_origins)

    def refuse(self, headers: Mapping[str, str]) -> Refusal | None:
        """None when Host and Origin are allowed."""
        host = headers.get("Host", "").lower()
        if host_name(host) not in self._hosts:
            return Refusal(
                421,
                ApiError(
                    "forbidden",
                    "This Host is not allowed; use localhost, or add the name to rpc.allowed_hosts."
                    if host
                    else "There is no Host header; name localhost in one.",
                    setting="rpc.allowed_hosts",
                ),
            )
        origin = headers.get("Origin")
        if origin is None or self.allows_origin(origin) or _same_site(origin, host):
            return None
        return Refusal(
            403,
            ApiError(
                "forbidden",
                "This Origin is not allowed; add it to rpc.allowed_origins if the page is yours.",
                setting="rpc.allowed_origins",
            ),
        )

    def allows_origin(self, origin: str | None) -> bool:
        """Whether pages of that origin get CORS."""
        return origin is not None and origin.lower() in self._origins


def refuse_content_type(headers: Mapping[str, str]) -> Refusal | None:
    """None if the content type is plain JSON, which a page cannot send across sites without a preflight."""
    content_type = headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if content_type in _JSON_TYPES and headers.get("Content-Encoding") is None:
        return None
    return Refusal(415, ApiError("invalid_request", "Send Content-Type: application/json, without Content-Encoding."))


def host_name(host: str) -> str:
    """The name in a Host header, without port and without the brackets of IPv6."""
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0]


def _same_site(origin: str, host: str) -> bool:
    try:
        parts = urlsplit(origin.lower())
    except ValueError:
        return False
    return parts.scheme in _SCHEMES and parts.netloc == host
