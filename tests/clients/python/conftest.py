"""The server in memory that the tests of the API have."""

from __future__ import annotations

from tests.rpc.conftest import make_world, world

__all__ = ["make_world", "world"]
