"""The configuration of the server; the program fills it from its settings."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

LOOPBACK_NAMES = ("localhost", "127.0.0.1", "::1")
LOOPBACK_OF = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - all interfaces; compared with, not listened on


@dataclass(frozen=True, slots=True)
class RpcConfig:
    """Sizes are bytes, times seconds. In brackets, the setting an owner changes.

    `allowed_hosts` are names without port; `allowed_origins` are whole origins, such as https://wallet.example.
    """

    network: str = "main"
    version: str = "0.1.0"
    host: str = "127.0.0.1"  # [rpc.listen]
    port: int = 8327  # [rpc.listen]; 0 picks a free one
    socket_path: Path | None = None
    tls_cert: Path | None = None  # [rpc.tls_cert]
    tls_key: Path | None = None  # [rpc.tls_key]
    allowed_hosts: tuple[str, ...] = LOOPBACK_NAMES  # [rpc.allowed_hosts]
    allowed_origins: tuple[str, ...] = ()  # [rpc.allowed_origins]
    max_body_bytes: int = 1_048_576  # [limits.rpc_body_bytes]
    max_batch: int = 100
    max_connections: int = 4_096  # [limits.rpc_connections]
    max_calls_at_once: int = 2_000  # [limits.rpc_calls_at_once]
    calls_per_second: float = 20_000  # [limits.rpc_calls_per_second]; per token
    max_subscriptions: int = 64  # per connection
    max_backlog_bytes: int = 1_048_576  # unread bytes of a subscriber above which it is closed as too slow
    body_timeout_s: float = 10.0
    idle_timeout_s: float = 60.0
    heartbeat_s: float = 20.0  # silence of a WebSocket client before it is pinged; it has half as long to answer
    progress_s: float = 15.0
    close_grace_s: float = 5.0  # how long a closed connection may take to read what was written
    wake_grace_s: float = 300.0  # the same where it was closed for being slow: it may be asleep
    token_check_s: float = 1.0

    @property
    def on_loopback(self) -> bool:
        """Whether only programs on this machine can connect."""
        return self.host in LOOPBACK_NAMES or self.host.startswith("127.")

    @property
    def called(self) -> str:
        """The host that clients call. Where it listens on all interfaces, that is the name that others call it by.

        For a name of its own stands in the certificate, and no client calls 0.0.0.0.
        """
        if self.host not in LOOPBACK_OF:
            return self.host
        return next((name for name in self.allowed_hosts if name not in LOOPBACK_NAMES), LOOPBACK_OF[self.host])
