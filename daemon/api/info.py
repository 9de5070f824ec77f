"""Handler of `getInfo`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, Protocol

from config.output.outlet import OutletState
from config.settings import Settings
from daemon.api.reachability import view
from daemon.clock import Clock
from daemon.events import EventLog
from daemon.keys.keystore import Keystore
from daemon.limits import wire_limits
from daemon.store import Store
from daemon.upkeep.times_ahead import times_ahead
from musig2.protocol.records.peers import peer_text
from p2p.ports import BootstrapFault, PeerInfo, Reachability
from rpc.caller import Caller
from rpc.methods.table import API_VERSION
from rpc.models.node import Info, KnownProblem
from rpc.models.wire import NoParams
from rpc.ports import Health, Problem

STUCK_S: Final = 10.0  # so that a terminal that is paused for a moment is not reported


class NodeState(Protocol):
    """The part of `p2p.network.Network` that is needed here."""

    @property
    def peer_text(self) -> str: ...

    def multiaddrs(self) -> tuple[str, ...]: ...

    def peers(self) -> list[PeerInfo]: ...

    @property
    def reachability(self) -> Reachability: ...


class InfoMethods:
    """The state of the daemon. `uptime` counts from the creation of this object."""

    def __init__(
        self,
        *,
        version: str,
        settings: Settings,
        network: NodeState,
        keystore: Keystore,
        store: Store,
        events: EventLog,
        health: Health,
        clock: Clock,
        problems: Callable[[], Sequence[tuple[str, str]]],
    ) -> None:
        """`problems`: (reason, remedy) of what services know, such as that no peer can be reached."""
        self._problems = problems
        self._version = version
        self._settings = settings
        self._network = network
        self._keystore = keystore
        self._store = store
        self._events = events
        self._health = health
        self._clock = clock
        self._checks = wire_limits(settings)
        self._started_ms = clock.mono_ms()
        limits = settings.limits.model_dump().items()
        self._limits = {_camel(name): value for name, value in limits if isinstance(value, int)}

    async def get_info(self, caller: Caller, params: NoParams) -> Info:
        not_ready = self._health.ready()
        problems = [*not_ready, *keystore_problems(self._keystore, known=not_ready)]
        said = {problem.reason for problem in not_ready}
        problems += [Problem(reason, remedy) for reason, remedy in self._problems() if reason not in said]
        problems += self._store.read(lambda conn: times_ahead(conn, self._clock.wall_ms(), self._checks, caller.sees))
        return Info(
            version=self._version,
            api_version=API_VERSION,
            network=self._settings.network,
            peer_id=self._network.peer_text,
            multiaddrs=self._network.multiaddrs(),
            peers=len(self._network.peers()),
            uptime=self._clock.mono_ms() - self._started_ms,
            schemes=("lotus", "bip340"),
            schema_version=self._store.schema_version,
            locked=self._keystore.locked,
            ready=not not_ready,
            problems=tuple(
                KnownProblem(reason=problem.reason, remedy=problem.remedy, until=problem.until_ms)
                for problem in problems
            ),
            next_seq=self._events.next_seq,
            log_id=self._events.log_id,
            time=self._clock.wall_ms(),
            limits=self._limits,
            reachability=view(self._network.reachability),
        )


def keystore_problems(keystore: Keystore, known: Sequence[Problem] = ()) -> list[Problem]:
    """What is wrong with the keys, unless `known` says it already."""
    found = []
    if keystore.locked:
        found.append(
            Problem(
                "locked",
                "Unlock the keys with unlock (musig-cli unlock passphrase=@FILE), or name keys.passphrase_file in the "
                "settings and restart.",
            )
        )
    if keystore.passphrase_file_is_stale:
        found.append(
            Problem(
                "passphrase_file_stale",
                "The passphrase was changed: put the new one into the passphrase file or credential, or the next start "
                "fails.",
            )
        )
    said = {problem.reason for problem in known}
    return [problem for problem in found if problem.reason not in said]


def bootstrap_problems(faults: Sequence[BootstrapFault]) -> list[tuple[str, str]]:
    """(reason, remedy) of each bootstrap address that cannot be used."""
    return [("bootstrap_unusable", _bootstrap_remedy(fault)) for fault in faults]


def _bootstrap_remedy(fault: BootstrapFault) -> str:
    if fault.unknown_name is not None:
        return (
            f"p2p.bootstrap names {fault.multiaddr}, for which no address was found ({fault.unknown_name}): check the "
            "name and the DNS of this machine, or name a multiaddr."
        )
    if fault.said is not None:
        return f"p2p.bootstrap names {fault.multiaddr}, which cannot be reached: {fault.said}."
    if fault.found is None:
        return (
            f"p2p.bootstrap names {fault.multiaddr}, a private address, which is not dialled: set "
            "p2p.private_addresses if it is on a network of yours, or name a public one."
        )
    return (
        f"p2p.bootstrap names {fault.multiaddr}, but peer {peer_text(fault.found)} answers there instead of "
        f"{peer_text(fault.expected)}: correct the peer id if that is the node you mean, else the address."
    )


def policy_problems(problem: str | None) -> list[tuple[str, str]]:
    """(reason, remedy), where the policy file could not be taken over."""
    if problem is None:
        return []
    return [("policy_unreadable", f"{problem} The former rules stay in force: mend the file, then call reloadPolicy.")]


def log_problems(log: OutletState) -> list[tuple[str, str]]:
    """(reason, remedy), if log lines keep getting lost."""
    if log.failure is not None:
        cause = f"standard error cannot be written ({log.failure})"
    elif log.stuck_s >= STUCK_S or log.dropped_lately:
        cause = "whoever reads the standard error of the daemon does not, or too slowly"
    else:
        return []
    remedy = f"The log is not complete, because {cause}: mend that, or set log.level higher."
    return [("log_not_written", f"{remedy} {log.dropped} lines were dropped since the start.")]


def _camel(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(part.capitalize() for part in others)
