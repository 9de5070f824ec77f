"""The errors of the libp2p side: one root class, a stable reason code, a sentence that says what to do."""

from __future__ import annotations


class P2PError(Exception):
    """Root of everything this package raises on purpose. `reason` is stable, the message is for a person."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class NetworkError(P2PError):
    """The libp2p side cannot start, is down, or was stopped.

    Reasons: `port_taken`, `bad_address`, `bad_seed`, `p2p_down`, `start_failed`.
    """


class PeerUnreachable(P2PError):
    """A peer cannot be reached, or left in the middle. Reasons: `peer_unreachable`, `banned`, `busy`."""


class AskTimeout(P2PError):
    """A peer did not answer a directory question in time. Reason: `timeout`."""


class AddressError(P2PError, ValueError):
    """A multiaddr that cannot be read or used. Reason: `bad_address`."""
