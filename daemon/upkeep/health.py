"""Whether the daemon is alive and able to do its job; from memory, for `/livez`, `/readyz` and `getInfo`."""

from __future__ import annotations

from collections.abc import Callable

from daemon.keys.keystore import Keystore
from daemon.store import Store
from p2p.network import NetState, NetStatus
from rpc.ports import Problem

BACKLOG = 10_000  # writes waiting for the disk: far more than a burst causes


class DaemonHealth:
    """Implements `rpc.ports.Health`."""

    def __init__(
        self,
        *,
        store: Store,
        keystore: Keystore,
        network_state: Callable[[], NetState],
        clock_problem: Callable[[], str | None],
    ) -> None:
        """`clock_problem`: what to do about a clock with which peers refuse everything; None if it is right."""
        self._store = store
        self._keystore = keystore
        self._network_state = network_state
        self._clock_problem = clock_problem

    def live(self) -> list[Problem]:
        """Nothing to check: the answer itself shows that the event loop runs."""
        return []

    def ready(self) -> list[Problem]:
        """Store writable, keys loaded, libp2p listening, the clock such that peers take what is signed."""
        found = []
        if (gone := self._store.gone()) is not None:
            found.append(Problem(gone.reason, str(gone)))
        elif (failure := self._store.failure) is not None or self._store.stats.queued > BACKLOG:
            sentence = (
                failure or "Thousands of writes wait for the disk of the data directory: look what it is busy with."
            )
            found.append(Problem("store_not_writable", sentence))
        if self._keystore.locked:
            remedy = "Call unlock, or name keys.passphrase_file in the settings and restart."
            found.append(Problem("locked", remedy))
        if (state := self._network_state()).status is not NetStatus.UP:
            found.append(Problem("p2p_down", state.sentence or "The libp2p side is being started."))
        if (clock := self._clock_problem()) is not None:
            found.append(Problem("clock_wrong", clock))
        return found
