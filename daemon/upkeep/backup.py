"""`musigd backup` and `musigd restore`: one file with database, keys, peer identity, settings and policy.

Secret nonces are in no file, so no backup can hold one. A restored state is older than what the daemon sent since, so
the restored daemon must never continue an attempt that was open: it gets a new peer identity and a new log id, and the
mark `burn_open_attempts` makes the signing service abandon all open attempts at its first start.

The file holds a generated passphrase too, because without it the keys could not be opened again: keep it like a key.
A passphrase that the owner chose is not in it. The policy is in it wherever it lies, else the restored keys would sign
without rules.
"""

from __future__ import annotations

import io
import os
import sqlite3
import tarfile
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import orjson

from config.locations import CONFIG_NAME, DATABASE_NAME, LOCK_NAME, socket_path
from daemon.errors import EXIT_CONFIGURATION, DaemonError
from daemon.events import renew_log_id
from daemon.host.datadir import Datadir, holder_of
from daemon.host.own_directory import is_mounted_read_only
from daemon.host.own_socket import reasons_not_ready
from daemon.host.private_file import sync_directory, write_private
from daemon.keys.identity import IDENTITY_NAME, make_seed
from daemon.keys.passphrase import GENERATED_NAME
from daemon.policy.in_force import FILE_NAME, InForce, remembered
from daemon.policy.read import digest_of
from daemon.store import DatabaseGone, LockGone
from daemon.store.connection import inspect, open_reader, open_unchanged
from daemon.store.migrate import back_up, refuse_newer, shipped_migrations
from daemon.upkeep.datadir_parts import DO_NOT_STOP

FORMAT: Final = 1
MANIFEST: Final = "musigd-backup.json"
FORMER_IDENTITY: Final = "identity.from-backup"
BURN_MARK: Final = "burn_open_attempts"
# Small files: the name of each in the archive, and in a restored data directory. Backups from before have fewer.
_FILES: Final = {
    IDENTITY_NAME: FORMER_IDENTITY,
    GENERATED_NAME: GENERATED_NAME,
    CONFIG_NAME: CONFIG_NAME,
    FILE_NAME: FILE_NAME,
}
_MEMBERS: Final = frozenset({MANIFEST, DATABASE_NAME, *_FILES})
_LARGEST: Final = 1 << 20  # bytes of a small file


class BackupError(DaemonError):
    """A backup cannot be made or restored; nothing was changed."""

    reason = "backup"
    exit_code = EXIT_CONFIGURATION


@dataclass(frozen=True, slots=True)
class BackupContent:
    """What a backup holds: `names` of its members. `policy`: the rules in force when it was made, if that is known.

    `policy_file`: the digest of the policy file in it, "" without one.
    """

    names: frozenset[str]
    policy: InForce | None
    policy_file: str = ""

    @property
    def opens_itself(self) -> bool:
        """Whether the generated passphrase is in it."""
        return GENERATED_NAME in self.names

    @property
    def has_policy(self) -> bool:
        """Whether the policy file is in it."""
        return FILE_NAME in self.names

    @property
    def lacks_policy(self) -> bool:
        """Whether rules are in force, and their file is not in it."""
        return self.policy is not None and self.policy.digest != "" and not self.has_policy

    @property
    def has_other_policy(self) -> bool:
        """Whether the policy file in it is another than the one that was in force."""
        return self.policy is not None and self.has_policy and self.policy.digest != self.policy_file


def back_up_datadir(datadir: Path, target: Path) -> BackupContent:
    """Write the backup (0600), atomically; the daemon may be running. Raises BackupError, StoreError."""
    found = inspect(datadir / DATABASE_NAME)
    if holder_of(datadir) is not None:
        _require_that_of_the_daemon(datadir, is_new=found.is_new)
    if found.is_new:
        raise BackupError(f"There is nothing to back up in {datadir}: no musigd has run there.")
    try:
        with _reserved(target):
            return _back_up(datadir, target, found.version)
    except FileExistsError:
        raise BackupError(f"{target} exists already: choose another name, a backup is never overwritten.") from None
    except (OSError, sqlite3.Error) as error:
        if isinstance(error, sqlite3.Error) and is_mounted_read_only(datadir):
            raise BackupError(
                f"{datadir} is on a file system that is mounted read-only, where the database cannot be opened: copy "
                "the whole directory to a disk that can be written, and make the backup from there with --datadir."
            ) from error
        said = error.strerror if isinstance(error, OSError) else str(error)
        raise BackupError(
            f"The backup {target} cannot be written ({said}): name another FILE, or mend that."
        ) from error


def _require_that_of_the_daemon(datadir: Path, *, is_new: bool) -> None:
    """Raises BackupError if the running daemon has another database open than the one to be copied."""
    said = dict(reasons_not_ready(socket_path(datadir, os.environ)))
    for reason in (DatabaseGone.reason, LockGone.reason):
        if reason in said:
            raise BackupError(f"There is no backup, as the daemon has another database open. {said[reason]}")
    if is_new:
        raise BackupError(DO_NOT_STOP)


def restore_datadir(source: Path, datadir: Path) -> BackupContent:
    """Restore a backup into a new or empty data directory, atomically. Raises DaemonError."""
    if datadir.exists() and any(entry.name not in {LOCK_NAME, "lost+found"} for entry in datadir.iterdir()):
        raise BackupError(f"The data directory {datadir} is not empty: restore into a new one with --datadir.")
    claimed = Datadir.claim(datadir)
    try:
        return _unpack(source, datadir)
    except OSError as error:
        where = error.filename or source
        raise BackupError(f"{where} cannot be read or written ({error.strerror}): nothing was restored.") from error
    except (tarfile.TarError, sqlite3.Error, ValueError) as error:
        raise BackupError(f"{source} is not a usable backup of musigd ({error}).") from error
    finally:
        claimed.close()


def _back_up(datadir: Path, target: Path, version: int) -> BackupContent:
    """Write a file next to the target, then rename it."""
    with TemporaryDirectory(dir=target.absolute().parent, prefix=".musigd-backup-") as work:
        copy = Path(work) / DATABASE_NAME
        with closing(open_reader(datadir / DATABASE_NAME)) as conn:
            back_up(conn, copy)
        unfinished = Path(work) / "backup.tar"
        policy = _policy_of(copy)
        files = _small_files(datadir, policy)
        names = _write_tar(unfinished, copy, files, version)
        unfinished.rename(target)
    sync_directory(target.absolute().parent)
    return _content_of(names, policy, files.get(FILE_NAME))


def _content_of(names: Iterable[str], policy: InForce | None, file: bytes | None) -> BackupContent:
    return BackupContent(frozenset(names), policy, "" if file is None else digest_of(file))


def _policy_of(database: Path) -> InForce | None:
    with closing(open_unchanged(database)) as conn:
        return remembered(conn)


def _small_files(datadir: Path, policy: InForce | None) -> dict[str, bytes]:
    """The small files by their names in the archive. A policy that cannot be read is left out; the others raise."""
    paths = {name: datadir / name for name in _FILES if name != FILE_NAME}
    found = {name: path.read_bytes() for name, path in paths.items() if path.exists()}
    with suppress(OSError):
        content = (policy or InForce("")).file(datadir).read_bytes()
        if len(content) <= _LARGEST:
            found[FILE_NAME] = content
    return found


@contextmanager
def _reserved(target: Path) -> Iterator[None]:
    """Reserve the name, so that nothing that appears there is replaced; release it if the block fails.

    Raises FileExistsError.
    """
    os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    try:
        yield
    except BaseException:
        target.unlink(missing_ok=True)
        raise


def _write_tar(path: Path, database: Path, files: Mapping[str, bytes], version: int) -> list[str]:
    """Write the archive; returns the names of its members."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(handle, "wb") as file:
        with tarfile.open(fileobj=file, mode="w") as tar:
            manifest = {"format": FORMAT, "schemaVersion": version, "createdAt": time.time_ns() // 1_000_000}
            _add(tar, MANIFEST, orjson.dumps(manifest))
            for name, content in files.items():
                _add(tar, name, content)
            tar.add(database, DATABASE_NAME, filter=_private)
            members = tar.getnames()
        file.flush()
        os.fsync(file.fileno())
    return members


def _add(tar: tarfile.TarFile, name: str, content: bytes) -> None:
    member = _private(tarfile.TarInfo(name))
    member.size = len(content)
    tar.addfile(member, io.BytesIO(content))


def _private(member: tarfile.TarInfo) -> tarfile.TarInfo:
    """Remove owner and mode of this machine from a member."""
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    member.mode = 0o600
    return member


def _unpack(source: Path, datadir: Path) -> BackupContent:
    """Unpack into files that we name: nothing in the archive decides where bytes go. The database comes last."""
    unfinished = datadir / f".{DATABASE_NAME}.part"
    try:
        with tarfile.open(source, mode="r:") as tar:
            members = {member.name: member for member in tar if member.isfile() and member.name in _MEMBERS}
            if missing := {MANIFEST, DATABASE_NAME} - members.keys():
                raise ValueError(f"{missing.pop()} is missing in it")
            _check_manifest(_small(tar, members[MANIFEST]))
            _copy_database(tar, members[DATABASE_NAME], unfinished)
            _mark(unfinished)
            make_seed(datadir)
            for name, target in _FILES.items():
                if name in members:
                    write_private(datadir / target, _content(tar, members[name]))
        file = (datadir / FILE_NAME).read_bytes() if FILE_NAME in members else None
        held = _content_of(members, _policy_of(unfinished), file)
        unfinished.rename(datadir / DATABASE_NAME)
    except BaseException:
        for name in (unfinished.name, IDENTITY_NAME, *_FILES.values()):
            (datadir / name).unlink(missing_ok=True)
        raise
    sync_directory(datadir)
    return held


def _small(tar: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    file = tar.extractfile(member)
    assert file is not None, "only regular files were taken"
    if member.size > _LARGEST:
        raise ValueError(f"its {member.name} is too large")
    return file.read()


def _content(tar: tarfile.TarFile, member: tarfile.TarInfo) -> bytearray:
    content = _small(tar, member)
    if member.name in (IDENTITY_NAME, GENERATED_NAME):
        content.decode("ascii")
    return bytearray(content)


def _check_manifest(content: bytes) -> None:
    manifest = orjson.loads(content)
    if manifest.get("format") != FORMAT:
        raise ValueError("its format is unknown: restore it with the musigd that made it")


def _copy_database(tar: tarfile.TarFile, member: tarfile.TarInfo, target: Path) -> None:
    file = tar.extractfile(member)
    assert file is not None, "only regular files were taken"
    handle = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(handle, "wb") as copy:
        while chunk := file.read(1 << 20):
            copy.write(chunk)
        copy.flush()
        os.fsync(copy.fileno())
    found = inspect(target, full=True)
    refuse_newer(target, found, shipped_migrations())
    if found.is_new:
        raise ValueError("its database is empty")


def _mark(database: Path) -> None:
    with closing(sqlite3.connect(database, isolation_level=None)) as conn:
        conn.execute("BEGIN IMMEDIATE")
        conn.execute("INSERT OR REPLACE INTO meta (name, value) VALUES (?, 1)", (BURN_MARK,))
        renew_log_id(conn)
        conn.execute("COMMIT")
