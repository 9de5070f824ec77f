"""Finds peers on the local network by mDNS (libp2p's spec), only while no bootstrap address is set.

The library's own blocks the event loop for seconds, reports every peer to every host of the process, and cannot keep
networks apart. This one runs zeroconf's threads beside trio and passes what they find to `Bootstrap`.
"""

from __future__ import annotations

import contextlib
import logging
import secrets
from importlib import import_module
from typing import TYPE_CHECKING, Any

import trio

from p2p.addresses import ip_of, split_peer
from p2p.announce import listens_on_loopback_only
from p2p.compat.host import GuardedHost
from p2p.errors import AddressError
from p2p.node.bootstrap import Bootstrap
from p2p.settings import NetworkConfig

if TYPE_CHECKING:
    from zeroconf import ServiceBrowser, ServiceInfo, ServiceStateChange, Zeroconf

log = logging.getLogger(__name__)
SERVICE = "_p2p._udp.local."
NETWORK_KEY = b"musigd"
MAX_FOUND = 64
INFO_MS = 3_000
UNUSED_PORT = 4327  # required; the addresses in the TXT record are used


class Neighbours:
    """Announces this node on the local network and dials others of the same network."""

    def __init__(self, host: GuardedHost, config: NetworkConfig, reach: Bootstrap) -> None:
        self._host = host
        self._network = config.network.encode()
        self._reach = reach
        elsewhere = config.proxy is None and not listens_on_loopback_only(config)
        self.wanted = config.mdns and not config.bootstrap and elsewhere
        self.name = f"{secrets.token_hex(16)}.{SERVICE}"

    async def run(self) -> None:
        """Until cancelled; where multicast does not work, nothing happens."""
        if not self.wanted:
            return
        found_in, found = trio.open_memory_channel[tuple[bytes, bytes]](MAX_FOUND)
        token = trio.lowlevel.current_trio_token()

        def on_change(zeroconf: Zeroconf, service_type: str, name: str, state_change: ServiceStateChange) -> None:
            if state_change.name == "Added" and name != self.name:
                for peer in self.read(zeroconf.get_service_info(service_type, name, INFO_MS)):
                    with contextlib.suppress(trio.RunFinishedError):
                        token.run_sync_soon(_offer, found_in, peer)

        library = await trio.to_thread.run_sync(import_module, "zeroconf")  # not before the node listens
        try:
            zeroconf = await trio.to_thread.run_sync(library.Zeroconf)
        except OSError as error:
            log.info("mDNS is not available here: %s", error)
            return
        browser = await trio.to_thread.run_sync(lambda: library.ServiceBrowser(zeroconf, SERVICE, handlers=[on_change]))
        try:
            info = self.announcement()
            if info is not None:
                await trio.to_thread.run_sync(zeroconf.register_service, info)
            async for addr, peer in found:
                await self._reach.dial(peer, [addr])
        finally:
            with trio.CancelScope(shield=True):
                await trio.to_thread.run_sync(_close, zeroconf, browser)

    def announcement(self) -> ServiceInfo | None:
        """The announcement to neighbours; None if there is no address that may be announced."""
        from zeroconf import ServiceInfo  # noqa: PLC0415 - `run` has loaded it, in a thread

        addrs = [str(addr) for addr in self._host.get_addrs()]
        if not addrs:
            return None
        properties: dict[str | bytes, Any] = {f"dnsaddr{index or ''}": addr for index, addr in enumerate(addrs)}
        properties[NETWORK_KEY] = self._network
        server = f"{self.name.partition('.')[0]}.local."
        hosts = [host for addr in self._host.get_addrs() if (host := ip_of(addr)) is not None]
        return ServiceInfo(
            SERVICE, self.name, port=UNUSED_PORT, properties=properties, server=server, parsed_addresses=hosts[:1]
        )

    def read(self, info: ServiceInfo | None) -> list[tuple[bytes, bytes]]:
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


def _close(zeroconf: Zeroconf, browser: ServiceBrowser) -> None:
    browser.cancel()  # joins its thread, which `close` alone does not
    zeroconf.close()


def _offer(channel: trio.MemorySendChannel[tuple[bytes, bytes]], peer: tuple[bytes, bytes]) -> None:
    try:
        channel.send_nowait(peer)
    except (trio.WouldBlock, trio.BrokenResourceError):
        return  # many at once: the others announce themselves again
