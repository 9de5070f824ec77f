"""Entries opened beside their advertisements, which say all that an entry says.

An entry repeats fields of its advertisement, and every record has exactly one encoding: what the entry's envelope must
begin with is put together from the advertisement and compared, at a third of what decoding it takes.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from musig2.protocol.records.cbor import encode
from musig2.protocol.records.envelope import envelope_start, open_envelope
from musig2.protocol.records.ids import record_id
from musig2.protocol.records.records import Advertisement, Entry, Record, RecordType
from musig2.protocol.wire.frames import Signed

END: Final = 65  # bytes behind the start: a signature, and null for the countersignature that an entry has not
NULL: Final = b"\xf6"


def open_entry(data: bytes, advertisement: Signed[Record], *, max_bytes: int) -> Signed[Record]:
    """`open_envelope(data)`, quicker for the entry of exactly this advertisement. The signatures are not checked."""
    said = advertisement.record
    if isinstance(said, Advertisement) and len(data) <= max_bytes and data.endswith(NULL):
        payload = _payload(said, advertisement.id)
        start = envelope_start(RecordType.ENTRY, said.scheme, payload, said.pubkey)
        if len(data) == len(start) + END and data.startswith(start):
            record = Entry(said.scheme, said.pubkey, said.peer, said.types, said.ts, said.exp, advertisement.id)
            return Signed(record, record_id(said.scheme, RecordType.ENTRY, payload), data)
    return open_envelope(data, max_bytes=max_bytes)


def _payload(said: Advertisement, ad: bytes) -> bytes:
    """The one payload of the entry of an advertisement: its fields in the order of a deterministic map."""
    ts, exp, kinds, scheme = encode(said.ts), encode(said.exp), _encoded(said.types), _encoded(said.scheme)
    life = b"".join((b"\xa7\x62ad\x58\x20", ad, b"\x62ts", ts, b"\x63exp", exp))
    who = b"".join((b"\x64peer\x58\x26", said.peer, b"\x65types", kinds, b"\x66pubkey\x58\x21", said.pubkey))
    return b"".join((life, who, b"\x66scheme", scheme))


@lru_cache(maxsize=1024)
def _encoded(value: str | tuple[str, ...]) -> bytes:
    """Types and schemes are few."""
    return encode(value)
