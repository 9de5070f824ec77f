"""Which lines are evicted when the directory is full: those of the largest groups, never those this daemon needs.

A group is all lines of one kind that count for one peer, or for one address range. The largest groups are cut to a
common size until enough is free; in each group the newest lines go first, so that a flood cannot push out who was there
before. Where all groups have the same size, lines are drawn at random from the newest tenth.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Collection, Sequence

from daemon.discovery.directory.lines import LineOwner, lines_of
from daemon.discovery.directory.statements import Kind
from daemon.discovery.limits import DiscoveryLimits

SPARE = 0.01  # the share freed in one go, so that a full directory does not evict at every statement

GROUPS = """
SELECT 'peer' AS grouping, peer AS value, count(*) AS size FROM directory_log
 WHERE peer IS NOT NULL AND kind = :kind GROUP BY peer HAVING size > 1
UNION ALL
SELECT 'net', net, count(*) FROM directory_log
 WHERE net IS NOT NULL AND kind = :kind GROUP BY net HAVING count(*) > 1
ORDER BY size DESC LIMIT 5000
"""
# Lines of own keys and past signing partners are in directory_kept; a write also spares pinned keys, and keys with whom
# this daemon is about to sign.
UNBOUND = "NOT EXISTS (SELECT 1 FROM directory_kept k WHERE k.subject = directory_log.subject)"
NOT_SPARED = "hex(substr(directory_log.subject, -33)) NOT IN (SELECT value FROM json_each(?))"


def victims(conn: sqlite3.Connection, limits: DiscoveryLimits, spared: Callable[[], Collection[bytes]]) -> list[int]:
    """The numbers of the lines to evict; empty while there is room. `spared`: keys that are never evicted."""
    most = {
        Kind.ADVERTISEMENT: limits.advertisements,
        Kind.NODE: limits.nodes,
        Kind.NOTICE: limits.notices,
    }
    chosen: list[int] = []
    for kind, limit in most.items():
        excess = lines_of(conn, kind) - limit
        if excess > 0:
            chosen += _victims_of(conn, kind, excess + int(limit * SPARE), spared())
    return chosen + _unknown_withdrawals(conn, limits, spared)


def _unknown_withdrawals(
    conn: sqlite3.Connection, limits: DiscoveryLimits, spared: Callable[[], Collection[bytes]]
) -> list[int]:
    """Withdrawals that count for no peer, at random: nothing tells those of a flood from the others."""
    excess = lines_of(conn, Kind.WITHDRAWAL, unknown=True) - limits.unknown_withdrawals
    if excess <= 0:
        return []
    free, named = evictable(spared())
    sql = f"SELECT seq FROM directory_log WHERE kind = ? AND peer IS NULL AND {free} ORDER BY random() LIMIT ?"  # noqa: S608 - constants and marks only
    room = excess + int(limits.unknown_withdrawals * SPARE)
    return [row[0] for row in conn.execute(sql, (Kind.WITHDRAWAL.value, *named, room))]


def neighbour(conn: sqlite3.Connection, new: LineOwner, spared: Collection[bytes], *, direct: bool) -> int | None:
    """The line to evict for a new one in its address range; None if the new one is refused.

    Anybody can claim a range, so a full range alone refuses nobody: the peer with the most lines in it loses its newest
    one, if it has more than the new line's peer would have. Otherwise a peer that delivered its own record replaces the
    newest line.
    """
    free, named = evictable(spared)
    where = f"FROM directory_log WHERE net = ? AND kind = ? AND {free}"
    values = (new.net, new.kind.value, *named)
    sizes: dict[bytes, int] = dict(conn.execute(f"SELECT peer, count(*) {where} GROUP BY peer", values).fetchall())
    fullest = max(sizes, key=lambda peer: sizes[peer], default=None)
    newest = f"SELECT max(seq) {where}"
    if fullest is not None and sizes[fullest] > sizes.get(new.peer or b"", 0) + 1:
        row = conn.execute(f"{newest} AND peer = ?", (*values, fullest)).fetchone()
    elif direct:
        row = conn.execute(newest, values).fetchone()
    else:
        return None
    return None if row[0] is None else int(row[0])


def _victims_of(conn: sqlite3.Connection, kind: Kind, excess: int, spared: Collection[bytes]) -> list[int]:
    groups = conn.execute(GROUPS, {"kind": kind.value}).fetchall()
    level = water_level([size for _, _, size in groups], excess)
    free, named = evictable(spared)
    chosen: dict[int, None] = {}
    for grouping, value, size in groups:
        if size <= level or len(chosen) >= excess:
            break
        sql = f"SELECT seq FROM directory_log WHERE {grouping} = ? AND kind = ? AND {free} ORDER BY seq DESC LIMIT ?"  # noqa: S608 - constants and marks only
        room = min(size - level, excess - len(chosen))
        chosen.update((row[0], None) for row in conn.execute(sql, (value, kind.value, *named, room)))
    if not chosen:
        newest = f"SELECT seq FROM directory_log WHERE kind = ? AND {free} ORDER BY seq DESC LIMIT ?"  # noqa: S608 - constants and marks only
        sql = f"SELECT seq FROM ({newest}) ORDER BY random() LIMIT ?"  # noqa: S608 - the above
        among = max(excess, lines_of(conn, kind) // 10)
        chosen.update((row[0], None) for row in conn.execute(sql, (kind.value, *named, among, excess)))
    return list(chosen)


def water_level(sizes: Sequence[int], excess: int) -> int:
    """The size to which the largest groups are cut so that `excess` lines go; `sizes` descending. At least 1."""
    freed = 0
    for position, size in enumerate(sizes[1:], start=1):
        step = sizes[position - 1] - size
        if freed + step * position >= excess:
            return max(1, sizes[position - 1] - -(-(excess - freed) // position))
        freed += step * position
    if not sizes:
        return 1
    return max(1, sizes[-1] - -(-(excess - freed) // len(sizes)))


def evictable(spared: Collection[bytes]) -> tuple[str, tuple[str, ...]]:
    """A condition on lines of `directory_log`, and its parameters. `spared`: any number of keys, 33 bytes each."""
    if not spared:
        return UNBOUND, ()
    return f"{UNBOUND} AND {NOT_SPARED}", (json.dumps([key.hex().upper() for key in spared]),)
