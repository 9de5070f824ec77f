"""`musigd backup FILE` and `musigd restore FILE`."""

from __future__ import annotations

import argparse
import os
import shlex
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from config.locations import CONFIG_NAME, DATABASE_NAME, config_file_of
from config.output.terminal import say
from config.text.plain_text import cleaned
from daemon.access.tokens import stored_tokens
from daemon.commands.settings import datadir_from
from daemon.policy.in_force import FILE_NAME, NONE
from daemon.policy.read import PolicyUnreadable, read_policy
from daemon.store.connection import open_unchanged
from daemon.upkeep.backup import BackupContent, back_up_datadir, restore_datadir

OPENED = " and what opens them: keep it as you keep money."
SEALED = ", but not the passphrase that opens them: keep both, and apart."


ELSEWHERE = "Not in it: settings from variables and flags, and the files that settings name, but for the policy."


def backup(arguments: argparse.Namespace) -> int:
    """Write database, keys, identity, settings and policy to the file, while the daemon runs or not."""
    datadir = datadir_from(arguments)
    held = back_up_datadir(datadir, arguments.file)
    say(f"Wrote {arguments.file}. It holds your keys{OPENED if held.opens_itself else SEALED}\n")
    say("".join(f"{line}\n" for line in _told(held, datadir)))
    return 0


def _told(held: BackupContent, datadir: Path) -> Iterator[str]:
    """What of settings and policy is in the backup, and what is not."""
    if held.has_policy:
        yield f"In it: the policy{_from_elsewhere(held)}."
    if held.has_other_policy and held.policy is not None:
        yield from _other_policy(held.policy.digest or NONE, held.policy_file, held.policy.file(datadir))
    if CONFIG_NAME in held.names:
        yield f"In it: {CONFIG_NAME}."
    yield ELSEWHERE
    file, _ = config_file_of(None, os.environ, datadir)
    if file != datadir / CONFIG_NAME:
        yield f"Not in it: {file}."
    if held.lacks_policy and held.policy is not None:
        yield f"NOT IN IT: the policy in force: {held.policy.file(datadir)} cannot be read. Put it back, back up anew."


def _other_policy(in_force: str, in_it: str, file: Path) -> Iterator[str]:
    """The file was changed since the daemon read it. Only its digest is kept, so the backup has the changed one."""
    yield f"NOT THE POLICY IN FORCE: {file} was changed since a daemon read it. In force: {in_force}. In the backup, as"
    yield f"the file is now: {in_it}. `musig-cli reloadPolicy --dry-run` compares, `musig-cli reloadPolicy` takes it."
    try:
        read_policy(file)
    except PolicyUnreadable as problem:
        yield f"And it cannot be used: {problem}"


def _from_elsewhere(held: BackupContent) -> str:
    return f", as {FILE_NAME}, from {held.policy.elsewhere}" if held.policy and held.policy.elsewhere else ""


def restore(arguments: argparse.Namespace) -> int:
    """Restore the file into an empty data directory, with a new peer identity."""
    datadir = datadir_from(arguments)
    held = restore_datadir(arguments.file, datadir)
    start = f"musigd run --datadir {shlex.quote(str(datadir))}"
    say(f"Restored into {datadir}. Open sessions were abandoned; start with `{start}`.\n")
    say(_about_policy(held, datadir))
    say("".join(f"{line}\n" for line in _about_tokens(datadir)))
    return 0


def _about_tokens(datadir: Path) -> Iterator[str]:
    """The tokens that work again, as one may have been revoked since the backup. No secret: only digests are stored."""
    with closing(open_unchanged(datadir / DATABASE_NAME)) as conn:
        tokens = stored_tokens(conn, time.time_ns() // 1_000_000)
    yield "All is as it was at the backup: what was signed since is in no budget, and tokens revoked since are back."
    if not tokens:
        yield "No token is in force."
        return
    yield "These tokens are in force; revoke what should not be (musig-cli revokeToken tokenId=ID):"
    yield from (f"  {each.token_id}  {cleaned(each.label) or '(no label)'}  {' '.join(each.scopes)}" for each in tokens)


def _about_policy(held: BackupContent, datadir: Path) -> str:
    """Where the rules are after a restore, and whether they are those that were in force."""
    where = _where_policy_is(held, datadir)
    if not held.has_other_policy or held.policy is None:
        return where
    return (
        f"{where}It is NOT THE POLICY THAT WAS IN FORCE at the backup ({held.policy.digest or NONE}), but the file as "
        f"it was then ({held.policy_file}): read it before the start.\n"
    )


def _where_policy_is(held: BackupContent, datadir: Path) -> str:
    if held.lacks_policy:
        return (
            f"The policy that was in force is not in this backup: put it into {datadir / FILE_NAME} before the start.\n"
        )
    if not held.has_policy:
        return "There is no policy in this backup: without one, whatever a token asks for is signed.\n"
    if _from_elsewhere(held) and held.policy is not None:
        return (
            f"The policy was in {held.policy.elsewhere}, and is in {datadir / FILE_NAME} now. Where the setting "
            "policy.file is used, put it there.\n"
        )
    return f"The policy is in {datadir / FILE_NAME}.\n"
