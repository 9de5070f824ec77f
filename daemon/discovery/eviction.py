"""Who makes room when the directory is full: the fullest groups, and never those whom this daemon depends on.

A group is all lines of one kind that count for one peer, or for one address range. The water level falls from the
fullest group until enough is free; in each group the lines that came last go first, so that a flood cannot wash out who
was there before. Where nobody holds more than anybody else, dice decide.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Sequence

from .limits import DiscoveryLimits
from .lines import lines_of
from .pins import evictable
from .statements import Kind

SPARE = 0.01  # the share that is freed at once, so that a full directory does not evict at every statement

GROUPS = """
SELECT 'peer' AS grouping, peer AS value, count(*) AS size FROM directory_log
 WHERE peer IS NOT NULL AND kind = :kind GROUP BY peer HAVING size > 1
UNION ALL
SELECT 'net', net, count(*) FROM directory_log
 WHERE net IS NOT NULL AND kind = :kind GROUP BY net HAVING count(*) > 1
ORDER BY size DESC LIMIT 5000
"""


def victims(conn: sqlite3.Connection, limits: DiscoveryLimits) -> list[int]:
    """The numbers of the lines that have to go; empty while there is room."""
    most = {
        Kind.ADVERTISEMENT: limits.advertisements,
        Kind.NODE: limits.nodes,
        Kind.NOTICE: limits.notices,
    }
    chosen: list[int] = []
    for kind, limit in most.items():
        excess = lines_of(conn, kind) - limit
        if excess > 0:
            chosen += _victims_of(conn, kind, excess + int(limit * SPARE), limits.pinned_keys)
    return chosen


def _victims_of(conn: sqlite3.Connection, kind: Kind, excess: int, pinned: Collection[bytes]) -> list[int]:
    groups = conn.execute(GROUPS, {"kind": kind.value}).fetchall()
    level = water_level([size for _, _, size in groups], excess)
    free, named = evictable(pinned)
    chosen: dict[int, None] = {}
    for grouping, value, size in groups:
        if size <= level or len(chosen) >= excess:
            break
        sql = f"SELECT seq FROM directory_log WHERE {grouping} = ? AND kind = ? AND {free} ORDER BY seq DESC LIMIT ?"  # noqa: S608 - constants and marks only
        room = min(size - level, excess - len(chosen))
        chosen.update((row[0], None) for row in conn.execute(sql, (value, kind.value, *named, room)))
    if not chosen:
        sql = f"SELECT seq FROM directory_log WHERE kind = ? AND {free} ORDER BY random() LIMIT ?"  # noqa: S608 - constants and marks only
        chosen.update((row[0], None) for row in conn.execute(sql, (kind.value, *named, excess)))
    return list(chosen)


def water_level(sizes: Sequence[int], excess: int) -> int:
    """The size down to which the fullest groups are cut so that at least `excess` go; `sizes` falling. At least 1."""
    freed = 0
    for position, size in enumerate(sizes[1:], start=1):
        step = sizes[position - 1] - size
        if freed + step * position >= excess:
            return max(1, sizes[position - 1] - -(-(excess - freed) // position))
        freed += step * position
    if not sizes:
        return 1
    return max(1, sizes[-1] - -(-(excess - freed) // len(sizes)))
