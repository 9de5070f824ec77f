"""Every refusal below the API has a reason that clients know."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator

import daemon
from daemon.errors import Refused
from daemon.signing.api.endings import ENDINGS
from daemon.signing.api.errors import RequestEnded
from rpc.errors import CODES


def refusals(root: type[Refused] = Refused) -> Iterator[type[Refused]]:
    for kind in root.__subclasses__():
        yield kind
        yield from refusals(kind)


def test_every_refusal_has_a_reason_that_clients_know() -> None:
    for module in pkgutil.walk_packages(daemon.__path__, "daemon."):
        if not module.name.endswith(".__main__"):
            importlib.import_module(module.name)
    roots = {kind for kind in refusals() if kind.__subclasses__()}
    found = {kind.__name__: kind.reason for kind in refusals() if kind not in roots and kind is not RequestEnded}
    found |= {outcome.name: told.reason for outcome, told in ENDINGS.items()}
    assert len(found) > 30
    assert {name: reason for name, reason in found.items() if reason not in CODES} == {}
