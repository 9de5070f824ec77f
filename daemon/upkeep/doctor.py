"""`musigd doctor`: checks everything that a daemon needs to work, and says what to do about what is wrong.

It changes nothing and needs no running daemon.
"""

from __future__ import annotations

import os
import shutil
import socket
import stat
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

from config.locations import COOKIE_NAME, DATABASE_NAME, ENDPOINT_NAME, socket_path
from config.output.outermost import sentence_of
from config.settings import Settings
from daemon.clock import SystemClock
from daemon.errors import DaemonError
from daemon.host.datadir import holder_of, read_endpoint
from daemon.host.own_directory import claim_to, dangling_link, why_unwritable
from daemon.host.process_limits import TooFewFiles, require_open_files
from daemon.keys.identity import IDENTITY_NAME
from daemon.keys.passphrase import PassphraseSource, find_passphrase
from daemon.limits import wire_limits
from daemon.policy.read import PolicyUnreadable
from daemon.store.connection import inspect
from daemon.store.migrate import refuse_newer, shipped_migrations
from daemon.upkeep import datadir_parts
from daemon.upkeep.doctor_clock import stored_times, unready
from daemon.upkeep.doctor_reach import info_of, other_problems, ports_of, proxy_fault, seen_from_outside
from daemon.upkeep.policy_file import read_as_a_start
from musig2 import MusigError
from musig2.curve import memory

ENOUGH_BYTES: Final = 200 * 1024 * 1024
OLDEST_DATE_MS: Final = 1_767_225_600_000  # 2026-01-01: a correct clock shows a later time


class Severity(StrEnum):
    """`fault`: the daemon cannot do its job; `warning`: it can, but the owner should know; `ok`: checked, fine."""

    OK = "ok"
    WARNING = "warning"
    FAULT = "fault"


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """The result of one check. `remedy` is empty if all is well."""

    severity: Severity
    what: str
    remedy: str = ""

    def __str__(self) -> str:
        return f"{self.severity.value:<8} {self.what}" + (f"\n         -> {self.remedy}" if self.remedy else "")


Check = Callable[[Settings, Path, Mapping[str, str]], Iterator[Diagnosis]]


def examine(settings: Settings, datadir: Path, environment: Mapping[str, str]) -> list[Diagnosis]:
    """All results, in the order in which a start would meet the problems."""
    return [finding for check in CHECKS for finding in _found_by(check, settings, datadir, environment)]


def _found_by(check: Check, settings: Settings, datadir: Path, environment: Mapping[str, str]) -> list[Diagnosis]:
    """The results of a check; that it fails is a result too, and the other checks still run."""
    found: list[Diagnosis] = []
    try:
        found.extend(check(settings, datadir, environment))
    except Exception as error:  # noqa: BLE001 - told as a fault
        subject = check.__name__.strip("_").replace("_", " ")
        found.append(_fault(f"The check `{subject}` could not be made.", sentence_of(error)))
    return found


def _directory(settings: Settings, datadir: Path, environment: Mapping[str, str]) -> Iterator[Diagnosis]:
    if (link := dangling_link(datadir)) is not None:
        yield _fault(
            f"The data directory {datadir} cannot be made: {link} is a link to what does not exist.",
            "Make what it leads to (mount it, if it is a volume), or use --datadir.",
        )
        return
    if not datadir.exists():
        yield _ok(f"The data directory {datadir} does not exist yet; the first start makes it.")
        return
    if not datadir.is_dir():
        yield _fault(f"The data directory {datadir} is a file.", "Choose another with --datadir.")
        return
    try:
        claim_to(datadir)
    except (DaemonError, OSError) as error:
        yield _fault(f"The data directory {datadir} cannot be used.", str(error))
        return
    if datadir.stat().st_mode & 0o067:
        yield _warning(f"Others may read the data directory {datadir}.", "The next start makes it private.")
    elif (why := why_unwritable(datadir)) is not None:
        yield _fault(*why)
    else:
        yield _ok(f"The data directory {datadir} is private.")
    free = shutil.disk_usage(datadir).free
    if free < ENOUGH_BYTES:
        yield _fault(
            f"Only {free // 2**20} MiB are free under {datadir}.", "Free some space: a full disk stops signing."
        )


def _running(settings: Settings, datadir: Path, environment: Mapping[str, str]) -> Iterator[Diagnosis]:
    try:
        holder = holder_of(datadir)
    except DaemonError as error:
        yield _fault("It cannot be told whether a daemon is running here.", str(error))
        return
    if holder is None:
        yield _ok("No daemon is running here.")
        yield from _left_over(datadir, environment)
    elif read_endpoint(datadir) is None:
        yield _warning(f"A daemon (process {holder.pid}, as it says) is not ready.", "Look at its log.")
    else:
        yield _ok(f"A daemon is running (process {holder.pid}, as it says); `musig-cli getInfo` says more.")


def _left_over(datadir: Path, environment: Mapping[str, str]) -> Iterator[Diagnosis]:
    """Files that a killed daemon could not remove, and that clients would follow."""
    socket_file = socket_path(datadir, environment)
    stale = [str(path) for path in (datadir / ENDPOINT_NAME, socket_file) if path.exists()]
    if not stale:
        return
    if (datadir / COOKIE_NAME).exists():
        stale.append(str(datadir / COOKIE_NAME))
    yield _warning(
        f"Left over from a daemon that was killed: {', '.join(stale)}.",
        "Start the daemon: it replaces them. If none is to run here, remove them.",
    )


def _parts(settings: Settings, datadir: Path, environment: Mapping[str, str]) -> Iterator[Diagnosis]:
    found = datadir_parts.look(datadir, settings.keys.passphrase_file, environment)
    try:
        is_first = datadir_parts.is_first_start(datadir, found)
    except DaemonError as error:
        yield _fault("The data directory is not whole: a start is refused.", _still_held(datadir) or str(error))
        return
    if is_first and found.marked:
        yield _ok("The first start was interrupted: the next one continues it.")
    else:
        yield _ok("The next start is the first." if is_first else "Database, identity and passphrase belong together.")


def _still_held(datadir: Path) -> str | None:
    """What to do about a lost part that a running daemon still has."""
    if not _is_used(datadir):
        return None
    if not (datadir / DATABASE_NAME).exists():
        return datadir_parts.DO_NOT_STOP
    if not (datadir / IDENTITY_NAME).exists():
        return "Use `musigd reload` before the daemon stops: it writes its identity again."
    return None


def _next_is_first(settings: Settings, datadir: Path, environment: Mapping[str, str]) -> bool:
    try:
        found = datadir_parts.look(datadir, settings.keys.passphrase_file, environment)
        return datadir_parts.is_first_start(datadir, found)
    except DaemonError:
        return False


def _database(settings: Settings, datadir: Path, environment: Mapping[str, str]) -> Iterator[Diagnosis]:
    path = datadir / DATABASE_NAME
    try:
        found = inspect(path, full=True)
        refuse_newer(path, found, shipped_migrations())
    except DaemonError as error:
        yield _fault("The database cannot be used.", str(error))
        return
    if found.is_new and not _next_is_first(settings, datadir, environment):  # reported by the check of the parts
        return
    yield _ok("There is no database yet." if found.is_new else f"The database is sound (version {found.version}).")


def _identity(settings: Settings, datadir: Path, environment: Mapping[str, str]) -> Iterator[Diagnosis]:
    for name in (IDENTITY_NAME, COOKIE_NAME):
        path = datadir / name
        allowed = 0o640 if name in (COOKIE_NAME, ENDPOINT_NAME) and settings.rpc.cookie_group else 0o600
        if path.exists() and stat.S_IMODE(path.stat().st_mode) & ~allowed:
            yield _warning(f"Others may read {path}.", f"chmod {allowed:o} {path}")


def _passphrase(settings: Settings, datadir: Path, environment: Mapping[str, str]) -> Iterator[Diagnosis]:
    source = find_passphrase(datadir, settings.keys.passphrase_file, environment)
    if source.origin is not PassphraseSource.GENERATED or source.path.exists():
        try:
            content = source.read()
            content[:] = bytes(len(content))
        except DaemonError as error:
            yield _fault("The passphrase cannot be read.", str(error))
            return
        if source.path.stat().st_mode & 0o077:
            yield _warning(f"Others may read the passphrase in {source.path}.", f"chmod 600 {source.path}")
        yield _ok(f"The passphrase comes from {source.path} ({source.origin.value}).")
    elif datadir_parts.is_typed(datadir):
        yield _warning(
            "No passphrase is configured: the daemon starts locked.",
            "Use `musig-cli unlock passphrase=@FILE` after each start, or set keys.passphrase_file.",
        )


def _policy(settings: Settings, datadir: Path, environment: Mapping[str, str]) -> Iterator[Diagnosis]:
    try:
        rules = read_as_a_start(settings.policy.file, datadir)
    except PolicyUnreadable as error:
        yield _fault("The policy cannot be used: a start is refused.", str(error))
        return
    if rules is not None:
        yield _ok(f"The policy can be read ({len(rules.rules)} rules, {rules.digest} in the audit log).")


def _library(settings: Settings, datadir: Path, environment: Mapping[str, str]) -> Iterator[Diagnosis]:
    try:
        granted = memory.protection()
    except MusigError as error:
        yield _fault("The cryptographic library does not work.", str(error))
        return
    if granted.locked:
        yield _ok("Secrets are kept out of swap.")
    else:
        yield _warning(
            "The system does not let secrets be locked in memory.", "Raise the memlock limit (LimitMEMLOCK)."
        )


def _network(settings: Settings, datadir: Path, environment: Mapping[str, str]) -> Iterator[Diagnosis]:
    if not _is_used(datadir):
        endpoint = settings.rpc.endpoint
        yield from _port("rpc.listen", endpoint.host, endpoint.port)
        for host, port in ports_of(settings.p2p.listen):
            yield from _port("p2p.listen", host, port)
    if not settings.p2p.bootstrap and not settings.p2p.use_mdns:
        yield _warning(
            "There is no peer to start from: p2p.bootstrap is empty and p2p.mdns is off.",
            "Set p2p.bootstrap to the multiaddr of a peer, or use connectPeer.",
        )
    for path in (settings.rpc.tls_cert, settings.rpc.tls_key):
        if path is not None and not os.access(path, os.R_OK):
            yield _fault(
                f"The TLS file {path} cannot be read.", "Check rpc.tls_cert and rpc.tls_key, and their rights."
            )


def _is_used(datadir: Path) -> bool:
    try:
        return holder_of(datadir) is not None
    except DaemonError:  # reported by the check of the running daemon
        return True


def _open_files(settings: Settings, datadir: Path, environment: Mapping[str, str]) -> Iterator[Diagnosis]:
    try:
        require_open_files()
    except TooFewFiles as error:
        yield _fault("The daemon would not start.", str(error))


def _port(setting: str, host: str, port: int) -> Iterator[Diagnosis]:
    try:
        family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[
            0
        ]
        with socket.socket(family, kind) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except (OSError, UnicodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "no such host"
        yield _fault(
            f"{setting}: {host} port {port} cannot be listened on ({why}).",
            f"Stop what uses it (`ss -ltnp`), or set {setting} to another one.",
        )
    else:
        yield _ok(f"{setting}: {host} port {port or '(any)'} is free.")


def _clock(settings: Settings, datadir: Path, environment: Mapping[str, str]) -> Iterator[Diagnosis]:
    now_ms = SystemClock().wall_ms()
    if now_ms < OLDEST_DATE_MS:
        yield _fault(
            "The clock of this machine is years behind.", "Set it (timedatectl set-ntp true): peers refuse wrong times."
        )
    for what, remedy in stored_times(datadir, now_ms, wire_limits(settings)):
        yield _warning(what, remedy)


def _readiness(settings: Settings, datadir: Path, environment: Mapping[str, str]) -> Iterator[Diagnosis]:
    socket_file = socket_path(datadir, environment)
    if read_endpoint(datadir) is not None and not socket_file.exists():
        yield _fault(
            f"The running daemon's socket {socket_file} is gone.",
            "The daemon makes it again within seconds; where it does not, its log and `musig-cli getInfo` say why.",
        )
    for what, remedy in unready(socket_file):
        yield _fault(what, remedy)


def _outside(settings: Settings, datadir: Path, environment: Mapping[str, str]) -> Iterator[Diagnosis]:
    if settings.p2p.proxy is not None:
        wrong = proxy_fault(settings.p2p.proxy)
        yield _fault(*wrong) if wrong else _ok(f"p2p.socks5: a SOCKS5 proxy answers at {settings.p2p.proxy}.")
    if not _is_used(datadir) or (told := info_of(datadir)) is None:
        return
    if (seen := seen_from_outside(told)) is not None:
        verdict, how, remedy = seen
        yield _warning(how, remedy) if remedy else _ok(f"Seen from outside: {verdict}. {how}")
    for reason, remedy in other_problems(told, socket_path(datadir, environment)):
        yield _warning(f"The running daemon reports a problem ({reason}).", remedy)


def _ok(what: str) -> Diagnosis:
    return Diagnosis(Severity.OK, what)


def _warning(what: str, remedy: str) -> Diagnosis:
    return Diagnosis(Severity.WARNING, what, remedy)


def _fault(what: str, remedy: str) -> Diagnosis:
    return Diagnosis(Severity.FAULT, what, remedy)


CHECKS: Final[tuple[Check, ...]] = (
    _directory,
    _running,
    _parts,
    _database,
    _identity,
    _passphrase,
    _policy,
    _library,
    _open_files,
    _network,
    _clock,
    _readiness,
    _outside,
)
