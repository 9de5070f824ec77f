"""Who makes room when the directory is full: the fullest groups, and never those whom this daemon depends on.

A group is all advertisements of one peer, or of one address range. The water level falls from the fullest group until
enough is free; in each group the lines that came last go first, so that a flood cannot wash out who was there before.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from .limits import DiscoveryLimits
from .lines import lines_of
from .statements import Kind

SPARE = 0.01  # the share that is freed at once, so that a full directory does not evict at every statement

GROUPS = """
SELECT 'peer' AS grouping, peer AS value, count(*) AS size FROM directory_log
 WHERE peer IS NOT NULL AND kind = 1 GROUP BY peer HAVING size > 1
UNION ALL
SELECT 'net', net, count(*) FROM directory_log WHERE net IS NOT NULL AND kind = 1 GROUP BY net HAVING count(*) > 1
ORDER BY size DESC LIMIT 5000
"""
NOT_KEPT = "NOT EXISTS (SELECT 1 FROM directory_kept k WHERE k.subject = directory_log.subject)"
OF_PEER = f"SELECT seq FROM directory_log WHERE peer = ? AND kind = 1 AND {NOT_KEPT} ORDER BY seq DESC LIMIT ?"  # noqa: S608 - constants only
OF_NET = f"SELECT seq FROM directory_log WHERE net = ? AND kind = 1 AND {NOT_KEPT} ORDER BY seq DESC LIMIT ?"  # noqa: S608 - constants only
OF_ALL = f"SELECT seq FROM directory_log WHERE kind = 1 AND {NOT_KEPT} ORDER BY id LIMIT ?"  # noqa: S608 - constants only


def victims(conn: sqlite3.Connection, limits: DiscoveryLimits) -> list[int]:
    """The numbers of the lines that have to go; empty while there is room."""
    excess = lines_of(conn, Kind.ADVERTISEMENT) - limits.advertisements
    if excess <= 0:
        return []
    excess += int(limits.advertisements * SPARE)
    groups = conn.execute(GROUPS).fetchall()
    level = water_level([size for _, _, size in groups], excess)
    chosen: dict[int, None] = {}
    for grouping, value, size in groups:
        if size <= level or len(chosen) >= excess:
            break
        sql = OF_PEER if grouping == "peer" else OF_NET
        room = min(size - level, excess - len(chosen))
        chosen.update((row[0], None) for row in conn.execute(sql, (value, room)))
    if not chosen:  # nobody holds more than anybody else: ids are as good as dice
        chosen.update((row[0], None) for row in conn.execute(OF_ALL, (excess,)))
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
