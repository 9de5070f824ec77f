"""What a stranger knows of the victim."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True, slots=True)
class Target:
    """What any stranger can know of a daemon: where it is, its network, and a key that it advertises.

    `rpc`: where its clients call it, which only other programs on its host can.
    """

    multiaddr: str
    network: str
    pubkey: bytes
    scheme: str
    partner: bytes  # the key that it signs with, advertised too
    rpc: str = ""
    websocket: int = 0  # the port where it takes WebSockets; 0: nowhere

    @property
    def host(self) -> str:
        """Its address."""
        return self.multiaddr.split("/")[2]

    @property
    def behind_websocket(self) -> str:
        """Its multiaddr, but with that port: whoever connects there has to speak WebSocket."""
        return self.multiaddr.replace(f"/tcp/{self.port}/", f"/tcp/{self.websocket}/")

    @property
    def port(self) -> int:
        """Its port."""
        return int(self.multiaddr.split("/")[4])

    def near(self, second: int, third: int = 0, last: int = 1) -> str:
        """An address in a range of its own for each second and third number; all of them are this machine."""
        if ":" in self.host:
            return f"{self.host.split(':')[0]}:{second:x}:{third:x}::{last:x}"
        return f"{self.host.split('.')[0]}.{second}.{third}.{last}"

    def within(self, second: int, number: int) -> str:
        """An address of a range: of IPv6 in 64 bits of its own, as each customer of a provider has."""
        return (
            self.near(second, 0, number)
            if ":" not in self.host
            else self.near(second, 0).replace("::", f":{number:x}::")
        )

    def dumps(self) -> str:
        """The target as text, for another process."""
        keys = self.pubkey.hex(), self.partner.hex()
        return json.dumps((*keys, self.multiaddr, self.network, self.scheme, self.rpc, self.websocket))

    @classmethod
    def loads(cls, text: str) -> Self:
        """The target from the text of `dumps`."""
        pubkey, partner, multiaddr, network, scheme, rpc, websocket = json.loads(text)
        return cls(multiaddr, network, bytes.fromhex(pubkey), scheme, bytes.fromhex(partner), rpc, websocket)
