"""The daemon's own measurements for `/metrics`, in Prometheus text format."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Protocol

from config.output.outlet import OutletState
from daemon.store import Store
from p2p.network import Offence, PeerInfo


class NetworkCounters(Protocol):
    """The part of `p2p.network.Network` that is needed here."""

    frames_sent: int

    @property
    def alive(self) -> bool: ...

    @property
    def session_streams(self) -> int: ...

    def peers(self) -> list[PeerInfo]: ...


class DaemonMetrics:
    """Implements `rpc.ports.Metrics` from what is in memory."""

    def __init__(
        self,
        *,
        store: Store,
        network: NetworkCounters,
        offences: Mapping[Offence, int],
        log_state: Callable[[], OutletState] = OutletState.of_none,
    ) -> None:
        self._log_state = log_state
        self._store = store
        self._network = network
        self._offences = offences

    def text(self) -> str:
        """Counters since start, and the state of the network now."""
        stats, log = self._store.stats, self._log_state()
        lines = [
            *_single("musigd_store_commits_total", "counter", "Transactions written to the disk.", stats.commits),
            *_single("musigd_store_writes_total", "counter", "Changes that these commits held.", stats.writes),
            *_single("musigd_store_failed_total", "counter", "Changes that could not be stored.", stats.failed),
            *_single("musigd_store_queued", "gauge", "Changes that wait for the disk.", stats.queued),
            *_single("musigd_p2p_up", "gauge", "1 while the libp2p side listens.", int(self._network.alive)),
            *_single("musigd_p2p_peers", "gauge", "Connected peers.", len(self._network.peers())),
            *_single("musigd_p2p_streams", "gauge", "Streams that carry frames.", self._network.session_streams),
            *_single("musigd_p2p_frames_sent_total", "counter", "Frames sent.", self._network.frames_sent),
            *_single("musigd_tasks", "gauge", "Tasks of the event loop.", len(asyncio.all_tasks())),
            *_single("musigd_log_dropped_total", "counter", "Log lines that could not be written.", log.dropped),
            *_single("musigd_log_queued_bytes", "gauge", "Log lines that wait to be written.", log.waiting_bytes),
            *_head("musigd_p2p_offences_total", "counter", "What peers did wrong, by kind."),
            *(f'musigd_p2p_offences_total{{kind="{kind.value}"}} {count}' for kind, count in self._offences.items()),
        ]
        return "\n".join(lines) + "\n"


def _head(name: str, kind: str, help_text: str) -> list[str]:
    return [f"# HELP {name} {help_text}", f"# TYPE {name} {kind}"]


def _single(name: str, kind: str, help_text: str, value: int) -> list[str]:
    return [*_head(name, kind, help_text), f"{name} {value}"]
