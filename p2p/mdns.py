"""Finding peers on the local network by mDNS (libp2p's spec), only while no bootstrap address is set.

The library's own blocks the event loop for seconds, tells every host of the process of every peer, and cannot keep
networks apart. This one runs zeroconf's threads beside trio and hands what they find to `Reach`.
"""

from __future__ import annotations

import logging
import secrets
from typing import Any

import trio
from zeroconf import ServiceBrowser, ServiceInfo, ServiceStateChange, Zeroconf

from .addresses import split_peer
from .announce import listens_on_loopback_only
from .compat.host import GuardedHost
from .errors import AddressError
from .reach import Reach
from .settings import NetworkConfig

log = logging.getLogger(__name__)
SERVICE = "_p2p._udp.local."
NETWORK_KEY = b"musigd"
MAX_FOUND = 64
INFO_MS = 3_000


class Neighbours:
    """Announces this node on the local network and dials those of the same network that it hears of."""

    def __init__(self, host: GuardedHost, config: NetworkConfig, reach: Reach) -> None:
        self._host = host
        self._network = config.network.encode()
        self._reach = reach
        self._wanted = config.mdns and not config.bootstrap and not listens_on_loopback_only(config)
        self._name = f"{secrets.token_hex(16)}.{SERVICE}"

    async def run(self) -> None:
        """Until cancelled; where multicast does not work, nothing happens."""
        if not self._wanted:
            return
        found_in, found = trio.open_memory_channel[tuple[bytes, bytes]](MAX_FOUND)
        token = trio.lowlevel.current_trio_token()

        def on_change(zeroconf: Zeroconf, service_type: str, name: str, state_change: ServiceStateChange) -> None:
            if state_change is ServiceStateChange.Added and name != self._name:
                for peer in self._read(zeroconf.get_service_info(service_type, name, INFO_MS)):
                    token.run_sync_soon(_offer, found_in, peer)

        try:
            zeroconf = await trio.to_thread.run_sync(Zeroconf)
        except OSError as error:
            log.info("mDNS is not available here: %s", error)
            return
        try:
            await trio.to_thread.run_sync(self._announce, zeroconf)
            browser = await trio.to_thread.run_sync(lambda: ServiceBrowser(zeroconf, SERVICE, handlers=[on_change]))
            async for addr, peer in found:
                await self._reach.dial(peer, [addr])
            browser.cancel()
        finally:
            with trio.CancelScope(shield=True), trio.move_on_after(2):
                await trio.to_thread.run_sync(zeroconf.close)

    def _announce(self, zeroconf: Zeroconf) -> None:
        addrs = [str(addr) for addr in self._host.get_addrs()]
        if not addrs:
            return
        properties: dict[str | bytes, Any] = {f"dnsaddr{index or ''}": addr for index, addr in enumerate(addrs)}
        properties[NETWORK_KEY] = self._network
        server = f"{self._name.partition('.')[0]}.local."
        zeroconf.register_service(ServiceInfo(SERVICE, self._name, port=4327, properties=properties, server=server))

    def _read(self, info: ServiceInfo | None) -> list[tuple[bytes, bytes]]:
        """(address, peer) of an announcement of this network."""
        if info is None or info.properties.get(NETWORK_KEY) != self._network:
            return []
        found = []
        for key, value in info.properties.items():
            if key.startswith(b"dnsaddr") and value is not None:
                try:
                    found.append(split_peer(value.decode("ascii", "replace")))
                except AddressError:
                    continue
        return found


def _offer(channel: trio.MemorySendChannel[tuple[bytes, bytes]], peer: tuple[bytes, bytes]) -> None:
    try:
        channel.send_nowait(peer)
    except (trio.WouldBlock, trio.BrokenResourceError):
        return  # many at once: the others are heard of again
