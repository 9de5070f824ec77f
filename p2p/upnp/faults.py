"""What can be wrong with a router, as sentences for its owner."""

from __future__ import annotations

from typing import Final

from p2p.ports import MappingFault

# The errors of WANIPConnection:1 and :2 that say what to do; the others are named by their number.
REFUSALS: Final = {
    401: "it does not know this request",
    402: "it takes the request for malformed",
    501: "it could not do that",
    606: "this machine may not do that: allow UPnP for it in the router",
    718: "other machines have the ports that were asked for",
    724: "it maps a port to the same number only, and another machine has that one",
    728: "its table is full",
    729: "another rule of it has that port",
}


class GatewayFault(Exception):
    """Why no port is mapped: `kind`, and a sentence."""

    def __init__(self, kind: MappingFault, sentence: str) -> None:
        super().__init__(sentence)
        self.kind = kind


class BadAnswer(Exception):
    """What a router sent is not what UPnP says, or too much of it, or did not come in time."""


class GatewayRefused(Exception):
    """A router answered a request with an error, of UPnP unless `why` is given."""

    def __init__(self, action: str, code: int, why: str | None = None) -> None:
        super().__init__(f"{action}: {why or REFUSALS.get(code, 'it refused')} (error {code})")
        self.code = code
