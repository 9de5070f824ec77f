"""What outlasts a life of the node."""

from __future__ import annotations

from dataclasses import dataclass

from p2p.bans import BanTimes
from p2p.node.named import Names
from p2p.streams.accounts import Accounts


@dataclass(frozen=True, slots=True)
class Lasting:
    """`names`: whom the owner named by calls."""

    bans: BanTimes
    accounts: Accounts
    names: Names
