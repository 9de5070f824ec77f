"""What a stranger knows of the victim."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True, slots=True)
class Target:
    """What any stranger can know of a daemon: where it is, its network, and a key that it advertises."""

    multiaddr: str
    network: str
    pubkey: bytes
    scheme: str
    partner: bytes  # the key that it signs with, advertised too

    @property
    def host(self) -> str:
        """Its address."""
        return self.multiaddr.split("/")[2]

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
        fields = (self.multiaddr, self.network, self.pubkey.hex(), self.scheme, self.partner.hex())
        return json.dumps(fields)

    @classmethod
    def loads(cls, text: str) -> Self:
        """The target from the text of `dumps`."""
        multiaddr, network, pubkey, scheme, partner = json.loads(text)
        return cls(multiaddr, network, bytes.fromhex(pubkey), scheme, bytes.fromhex(partner))
