"""Which `ts` an own record gets: rising, and acceptable to peers, whatever the clock did before.

A clock that was ahead leaves a `ts` in the future. Peers with a correct clock refused that record and do not hold it;
counting on from there would make them refuse every later one too. So such a `ts` is ignored until its time has come. A
peer that accepted it, because its own clock was ahead as well, lets any timely record replace it
(`musig2.protocol.records.checks.is_ahead`). When the time comes, the record is made once more with a higher `ts`, so
that a copy of the old one beats nothing.
"""

from __future__ import annotations

from musig2.protocol.records.checks import RecordLimits, is_ahead


def next_ts(now_ms: int, signed_ms: tuple[int, ...], limits: RecordLimits) -> int:
    """The ts of the next record of a subject; `signed_ms`: the known timestamps of its records."""
    come = [ts for ts in signed_ms if not is_ahead(ts, now_ms, limits)]
    return max([now_ms, *(ts + 1 for ts in come)])
