"""The one place where errors of discovery become what a client is told."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from daemon.discovery.errors import DiscoveryRefusal
from rpc.errors import ApiError


@contextmanager
def told_to_clients() -> Iterator[None]:
    """Whatever discovery refuses inside leaves as an ApiError with the same reason, sentence and facts."""
    try:
        yield
    except DiscoveryRefusal as refusal:
        raise ApiError(refusal.reason, str(refusal), **refusal.facts) from refusal
