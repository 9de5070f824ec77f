"""A router as those see it who want ports of it, whatever it speaks; and what can be wrong with it."""

from __future__ import annotations

from typing import Literal, NamedTuple, Protocol

from p2p.ports import MappingFault


class PortEntry(NamedTuple):
    """Who has an external port."""

    client: str
    port: int


class Granted(NamedTuple):
    """What a router has mapped: the external port, for so many seconds, 0 for good."""

    external: int
    lease_s: int


class Router(Protocol):
    """`own_host`: this machine as the router sees it. Every question raises GatewayRefused and BadAnswer."""

    @property
    def host(self) -> str: ...
    @property
    def own_host(self) -> str: ...
    @property
    def protocol(self) -> Literal["nat-pmp", "pcp", "upnp"]: ...
    @property
    def chooses_ports(self) -> bool: ...
    async def external_address(self) -> str: ...
    async def entry(self, external: int) -> PortEntry | None: ...
    async def add(self, external: int, port: int, lease_s: int) -> Granted: ...
    async def add_any(self, external: int, port: int, lease_s: int) -> Granted: ...
    async def delete(self, external: int, port: int) -> None: ...


class GatewayFault(Exception):
    """Why no port is mapped: `kind`, and a sentence."""

    def __init__(self, kind: MappingFault, sentence: str) -> None:
        super().__init__(sentence)
        self.kind = kind


class BadAnswer(Exception):
    """What a router sent is not what its protocol says, or too much of it, or did not come in time."""


class GatewayRefused(Exception):
    """A router answered a request with an error of its protocol."""

    def __init__(self, action: str, code: int, why: str) -> None:
        super().__init__(f"{action}: {why} (error {code})")
        self.code = code
