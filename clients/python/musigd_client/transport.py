"""HTTP and WebSocket by aiohttp; the asyncio client loads this when it is first used."""

from __future__ import annotations

import asyncio
import json
from typing import Any, Final

import aiohttp

from musigd_client.endpoint import Endpoint
from musigd_client.errors import CertificateRefused, ClientError, Unauthenticated, Unreachable
from musigd_client.failures import NobodyThere
from musigd_client.socket import SocketClient
from musigd_client.wire import NO_JSON_RPC

TIMEOUT_S: Final = 120
_MAX_MESSAGE: Final = 64 * 1_048_576


class Transport:
    """The connections to one place: a port, or a unix socket."""

    def __init__(self, socket: str | None) -> None:
        self.socket = socket
        connector = None if socket is None else aiohttp.UnixConnector(path=socket)
        self._session = aiohttp.ClientSession(connector=connector, timeout=aiohttp.ClientTimeout(total=TIMEOUT_S))

    async def close(self) -> None:
        """Close the connections."""
        await self._session.close()

    async def post(self, endpoint: Endpoint, body: bytes) -> Any:
        """The response object.

        Raises NobodyThere, CertificateRefused, Unreachable, and ClientError for an answer that is not JSON.
        """
        headers = {"Content-Type": "application/json", **_authorization(endpoint)}
        try:
            async with self._session.post(endpoint.url, data=body, headers=headers, allow_redirects=False) as response:
                return json.loads(await response.read())
        except aiohttp.ClientConnectorCertificateError as problem:
            raise _distrust(endpoint, problem) from problem
        except aiohttp.ClientConnectorError as problem:
            raise NobodyThere(endpoint.silence) from problem
        except aiohttp.ClientResponseError:
            pass  # this exception holds the request, and with it the token: the error raised must not refer to it
        except (aiohttp.ClientError, OSError, asyncio.TimeoutError) as problem:
            raise Unreachable(
                "the connection broke before the answer came; the call may have been carried out"
            ) from problem
        except ValueError as problem:
            raise ClientError(NO_JSON_RPC) from problem
        raise ClientError(NO_JSON_RPC)

    async def open_socket(self, endpoint: Endpoint) -> SocketClient:
        """A WebSocket; raises NotAuthorised, CertificateRefused, and Unreachable when nothing answers."""
        headers = _authorization(endpoint)
        try:
            ws = await self._session.ws_connect(
                endpoint.ws_url, headers=headers, heartbeat=20, max_msg_size=_MAX_MESSAGE
            )
            return SocketClient(ws)
        except aiohttp.ClientResponseError as problem:
            status = problem.status
        except aiohttp.ClientConnectorCertificateError as problem:
            raise _distrust(endpoint, problem) from problem
        except (aiohttp.ClientError, OSError, asyncio.TimeoutError) as problem:
            raise Unreachable(endpoint.silence) from problem
        # Raised outside the handler for the same reason as above.
        if status in {401, 403}:
            raise Unauthenticated(-32001, "the daemon refuses this token", {"reason": "unauthenticated"})
        raise Unreachable(f"the daemon refuses the WebSocket with status {status}")


def _distrust(endpoint: Endpoint, problem: aiohttp.ClientConnectorCertificateError) -> CertificateRefused:
    why = getattr(problem.certificate_error, "verify_message", "") or "it cannot be verified"
    return CertificateRefused(endpoint.distrust(why))


def _authorization(endpoint: Endpoint) -> dict[str, str]:
    return {} if endpoint.token is None else {"Authorization": f"Bearer {endpoint.token}"}
