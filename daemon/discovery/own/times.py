"""Which `ts` an own record gets: rising, and such that peers take it, whatever the clock did before.

A clock that was ahead leaves a time behind that lies ahead. Peers with a right clock refused that record and hold
nothing of it; going on from there would only have them refuse every later one too. So such a time is passed over until
it has come. Who did take it, because its own clock was ahead as well, lets any timely record take its place
(`musig2.protocol.records.checks.is_ahead`). And when the time comes, the record is made once more, above it: then a
copy of the old one that somebody kept beats nothing.
"""

from __future__ import annotations

from musig2.protocol.records.checks import RecordLimits, is_ahead


def next_ts(now_ms: int, signed_ms: tuple[int, ...], limits: RecordLimits) -> int:
    """The ts of the next record of a subject; `signed_ms`: times of its records that are remembered."""
    come = [ts for ts in signed_ms if not is_ahead(ts, now_ms, limits)]
    return max([now_ms, *(ts + 1 for ts in come)])


def comes_ms(ts: int, limits: RecordLimits) -> int:
    """From when on a record with this time counts."""
    return ts - limits.skew_ms
