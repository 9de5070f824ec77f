"""A relay and nodes that can be reached only through it, on loopback: they announce no address of their own."""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import AsyncIterator
from typing import Any

from p2p.addresses import Multiaddr, from_text, is_relayed
from tests.p2p.nodes import TestNode, network


def relayed_addresses(node: TestNode) -> list[str]:
    return [text for text in node.multiaddrs() if is_relayed(Multiaddr(from_text(text)))]


async def reachable_through(node: TestNode, relays: int = 1) -> list[str]:
    """The addresses of a node through so many relays, as soon as it has them."""
    await node.sink.until(lambda: len(relayed_addresses(node)) >= relays)
    return relayed_addresses(node)


@contextlib.asynccontextmanager
async def relayed(
    count: int, *, upgrade: bool = False, **of_relay: Any
) -> AsyncIterator[tuple[TestNode, list[TestNode]]]:
    """A relay, and so many nodes with a reservation; `upgrade`: they look for a direct way to who comes through it."""
    name = f"t-{secrets.token_hex(6)}"
    async with contextlib.AsyncExitStack() as stack:
        relay = await stack.enter_async_context(network(network=name, relay_service=True, **of_relay))
        nodes = []
        for _ in range(count):
            node = await stack.enter_async_context(
                network(network=name, relay_client="always", relay_upgrade=upgrade, bootstrap=(relay.address,))
            )
            nodes.append(node)
        for node in nodes:
            await reachable_through(node)
        yield relay, nodes
