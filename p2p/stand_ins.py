"""Stand-ins for libraries that py-libp2p imports and the daemon never calls.

`libp2p.host.basic_host` imports miniupnpc, the client of home routers' port mapping. The daemon maps no port; miniupnpc
has no wheels for musl, and it parses what anybody in the local network sends. The part that gets certificates from a
public service imports httpx and requests, which slow down the start; the daemon needs no such certificate.
All three are left out of the lock file.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import NoReturn

NEVER_CALLED = ("httpx", "miniupnpc", "requests")


def stand_in() -> None:
    """Put an empty module where py-libp2p looks for each of `NEVER_CALLED`; to be called before its first import."""
    for name in NEVER_CALLED:
        sys.modules.setdefault(name, _Absent(name))


class _Absent(ModuleType):
    def __getattr__(self, attribute: str) -> NoReturn:
        raise AttributeError(f"{self.__name__}.{attribute}: musigd runs without {self.__name__}, see p2p/stand_ins.py")
