"""One delivery: a POST with a signature that its receiver can check."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
from typing import Final, Protocol

import aiohttp
from yarl import URL

from daemon.webhooks.places import PRIVATE, CheckedResolver, Places, PrivatePlace

TIMEOUT_S: Final = 10
_CONTEXT: Final = b"musigd webhook 1\0"
_DONE: Final = range(200, 300)


class Signing(Protocol):
    """The part of `PeerIdentity` that is needed here: a deterministic signature (ed25519, RFC 8032)."""

    def sign(self, msg: bytes) -> bytes: ...


def secret_of(identity: Signing, hook_id: bytes) -> str:
    """The secret of a webhook as its owner sees it: derived from the peer identity, so that it is stored nowhere."""
    return hashlib.sha256(identity.sign(_CONTEXT + hook_id)).hexdigest()


def signature_of(secret: str, time_ms: int, body: bytes) -> str:
    """The value of Musigd-Signature: HMAC-SHA256 of `<time>.<body>` under the secret's text."""
    signed = hmac.new(secret.encode(), b"%d." % time_ms + body, hashlib.sha256)
    return f"t={time_ms},v1={signed.hexdigest()}"


class Poster:
    """Posts over its own connections, to the places that are allowed."""

    def __init__(self, places: Places) -> None:
        self.places = places
        self._session: aiohttp.ClientSession | None = None

    async def post(self, url: str, body: bytes, headers: dict[str, str]) -> str | None:
        """None if it was accepted (2xx), else the problem, without the URL. Redirects are not followed."""
        refusal = self.places.refusal(URL(url).host or "")
        if refusal is not None:
            return refusal
        if self._session is None:
            await asyncio.to_thread(lambda: aiohttp.ClientSession)  # loads the client
            self._session = self._session or self._new_session()
        sent = {"Content-Type": "application/json", **headers}
        try:
            async with self._session.post(url, data=body, headers=sent, allow_redirects=False) as response:
                return None if response.status in _DONE else f"it answers {response.status}"
        except aiohttp.ClientConnectorCertificateError:
            return "its certificate is not trusted here"
        except aiohttp.ClientConnectorDNSError as problem:
            return PRIVATE if isinstance(problem.os_error, PrivatePlace) else "its name is not known"
        except TimeoutError:
            return f"no answer within {TIMEOUT_S} s"
        except (aiohttp.ClientError, OSError, ValueError):
            return "it cannot be reached"

    def _new_session(self) -> aiohttp.ClientSession:
        """Nothing that one receiver says goes to another: no cookies are kept."""
        return aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(resolver=CheckedResolver(self.places), use_dns_cache=False),
            timeout=aiohttp.ClientTimeout(total=TIMEOUT_S),
            cookie_jar=aiohttp.DummyCookieJar(),
        )

    async def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()
        self._session = None
