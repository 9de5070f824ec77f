"""What every implementation must refuse, each with the reason: bytes that differ from good ones in one thing only.

`what` says how the bytes are read: `cbor` (section 2 of docs/protocol.md), `record` (an envelope on a live channel at
the time `now`), `request` (an envelope), `frame`, `stream`, `question`, `answer`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from musig2 import scheme
from musig2.protocol.records.cbor import decode, encode
from musig2.protocol.records.ids import record_id
from musig2.protocol.wire.frames import Signed
from tests.protocol.records_world import (
    ANNA,
    BEN,
    DAY,
    MINUTE,
    NOW,
    advertisement,
    digest,
    entry,
    join,
    notice,
    request,
)

ENCODING, SIGNATURE = "bad_encoding", "bad_signature"
PARTS = ("type", "alg", "payload", "pubkey", "signature", "cosig")

VALUES = {
    "a number that is not in its shortest form": "1817",
    "a number in two bytes that fits into one": "1900ff",
    "a length that is not in its shortest form": "580141",
    "2^53": "1b0020000000000000",
    "a negative number": "20",
    "a tag": "c000",
    "a float": "f90000",
    "undefined": "f7",
    "an array of indefinite length": "9fff",
    "a byte string of indefinite length": "5f4100ff",
    "a byte behind the value": "0000",
    "a length beyond the end": "5820ab",
    "nothing at all": "",
    "map keys out of order": "a2616201616100",
    "a longer map key before a shorter one": "a262616100616200",
    "a map key twice": "a2616100616101",
    "a map key that is a number": "a10000",
    "a map key of 25 bytes": "a17819" + "61" * 25 + "00",
    "text that is no UTF-8": "61ff",
    "text that is not in NFC": "6365cc81",
    "seven arrays in each other": "81818181818180",
}


def altered(signed: Signed[Any], **parts: Any) -> bytes:
    """The envelope with some of its six parts replaced."""
    six: Any = decode(signed.envelope)
    return encode(tuple(parts.get(name, value) for name, value in zip(PARTS, six, strict=True)))


def resigned(signed: Signed[Any], payload: bytes) -> bytes:
    """The envelope around another payload, which anna, and her peer where one has to, signed nevertheless."""
    kind, alg, _, _, _, cosig = tuple[Any, ...](decode(signed.envelope))  # type: ignore[arg-type]  # an array of six
    name = record_id(alg, kind, payload)
    if alg == "ed25519":
        return altered(signed, payload=payload, signature=ANNA.peer.sign(name))
    again = None if cosig is None else ANNA.peer.sign(name)
    return altered(signed, payload=payload, signature=scheme(alg).schnorr_sign(ANNA.key, name), cosig=again)


def with_fields(signed: Signed[Any], **changes: Any) -> bytes:
    """The envelope with other fields in its payload, well signed; None leaves one out."""
    payload: Any = decode(part(signed, "payload"))
    fields = {name: value for name, value in {**payload, **changes}.items() if value is not None}
    return resigned(signed, encode(fields))


def part(signed: Signed[Any], name: str) -> bytes:
    six: Any = decode(signed.envelope)
    value: bytes = six[PARTS.index(name)]
    return value


def flipped(data: bytes) -> bytes:
    """The last bit is another one."""
    return data[:-1] + bytes([data[-1] ^ 1])


def envelopes() -> Iterator[tuple[str, str, bytes]]:
    """Records of the directory; what is wrong, the reason, the envelope."""
    ad = ANNA.seal(advertisement())
    line, told = ANNA.seal(entry(ad)), ANNA.seal(notice())
    yield "a signature that is another one", SIGNATURE, altered(ad, signature=flipped(part(ad, "signature")))
    yield "a countersignature that is another one", SIGNATURE, altered(ad, cosig=flipped(part(ad, "cosig")))
    yield "a countersignature of another peer", SIGNATURE, altered(ad, cosig=BEN.peer.sign(ad.id))
    yield "a lotus signature where bip340 is named", SIGNATURE, unlike(ad)
    yield "an advertisement without countersignature", ENCODING, altered(ad, cosig=None)
    yield "an entry with a countersignature", ENCODING, altered(line, cosig=ANNA.peer.sign(line.id))
    yield "a notice under lotus", ENCODING, altered(told, alg="lotus")
    yield "an unknown type", ENCODING, altered(ad, type="offer")
    yield "a key that is not the payload's", ENCODING, altered(ad, pubkey=BEN.pubkey)
    yield "a signature of 63 bytes", ENCODING, altered(ad, signature=part(ad, "signature")[:63])
    yield "an envelope of five", ENCODING, encode(tuple(decode(ad.envelope))[:5])  # type: ignore[arg-type]  # an array
    yield "a payload whose keys are out of order", ENCODING, resigned(line, disordered(part(line, "payload")))
    yield "a field that is not listed", ENCODING, with_fields(line, more=1)
    yield "a field that is missing", ENCODING, with_fields(line, ad=None)
    yield "types that are not sorted", ENCODING, with_fields(line, types=("swap", "spend"))
    yield "seventeen addresses", ENCODING, with_fields(ad, addrs=(b"\x04",) * 17)
    yield "a peer id that is not ed25519", ENCODING, with_fields(ad, peer=b"\x12\x20" + bytes(32))
    yield "min above max", ENCODING, with_fields(ad, min=2, max=1)
    yield "an end that is not later than its begin", ENCODING, with_fields(line, exp=NOW)
    yield "an advertisement of 10,001 bytes", "too_large", of_size(10_001)
    early, late, gone = NOW + 5 * MINUTE + 1, NOW - 5 * MINUTE - 1, NOW - 1
    yield "a ts too far ahead", "timestamp", ANNA.seal(advertisement(ts=early, exp=early + DAY)).envelope
    yield "a ts too old for a live channel", "timestamp", ANNA.seal(advertisement(ts=late)).envelope
    yield "an exp that is past", "expired", ANNA.seal(advertisement(ts=gone - 1, exp=gone)).envelope
    yield "more than seven days", "expired", ANNA.seal(advertisement(exp=NOW + 7 * DAY + 1)).envelope


def unlike(ad: Signed[Any]) -> bytes:
    """A bip340 advertisement that carries the Lotus signature over its id."""
    other = ANNA.seal(advertisement(scheme="bip340"))
    return altered(other, signature=scheme("lotus").schnorr_sign(ANNA.key, other.id))


def disordered(payload: bytes) -> bytes:
    """The same map, its first two pairs the other way round."""
    fields: Any = decode(payload)
    first, second = (encode({name: fields[name]})[1:] for name in list(fields)[:2])
    return payload[:1] + second + first + payload[1 + len(first) + len(second) :]


def of_size(size: int) -> bytes:
    """An advertisement that is too large by what its metadata holds."""
    empty = len(ANNA.seal(advertisement(metadata={"more": "x" * 9_000})).envelope) - 9_000
    return ANNA.seal(advertisement(metadata={"more": "x" * (size - empty)})).envelope


def requests() -> Iterator[tuple[str, str, bytes]]:
    asked = ANNA.seal(request())
    payload: Any = decode(part(asked, "payload"))
    item = payload["items"][0]
    swapped = (payload["keys"][1], payload["keys"][0], payload["keys"][2])
    yield (
        "an aggregate that does not follow from the keys",
        "invalid_key",
        with_fields(asked, items=((*item[:2], ANNA.pubkey, item[3]), payload["items"][1])),
    )
    yield "keys that do not rise", ENCODING, with_fields(asked, keys=swapped)
    yield "a creator that is not asked", ENCODING, with_fields(asked, keys=payload["keys"][::2], order=(0, 1))
    yield "a plain tweak under lotus", ENCODING, with_fields(asked, items=((item[0], ((0, digest("t")),), *item[2:]),))
    yield (
        "a tweak of zero",
        ENCODING,
        with_fields(ANNA.seal(request("bip340")), items=((item[0], ((0, bytes(32)),), *item[2:]),)),
    )
    yield "an end that is past", "expired", ANNA.seal(request(created=NOW - DAY, expires=NOW)).envelope
    yield "a begin too far ahead", "timestamp", ANNA.seal(request(created=NOW + 5 * MINUTE + 1)).envelope
    yield "more than seven days", "too_long", ANNA.seal(request(expires=NOW + 7 * DAY + 1)).envelope


def frames() -> Iterator[tuple[str, str, bytes]]:
    asked = ANNA.seal(request())
    joined = ANNA.seal(join(asked))
    yield "a frame of an unknown kind", ENCODING, encode(("gossip", 1))
    yield "an envelope that is text", ENCODING, encode(("env", "envelope"))
    yield "an envelope and something more", ENCODING, encode(("env", joined.envelope, 1))
    yield "a join signed by another key", SIGNATURE, encode(("env", altered(joined, signature=bytes(64))))
    yield "a seventeenth attempt", ENCODING, encode(("have", asked.id, 17, b"", b"", b""))
    yield "a bitmap of 14 bytes", ENCODING, encode(("have", asked.id, 1, bytes(14), b"", b""))
    yield "no signatures", ENCODING, encode(("complete", asked.id, ()))
    yield "a fetch that shows a join", ENCODING, encode(("fetch", (joined.envelope,)))
    yield "an unknown code", ENCODING, encode(("answer", asked.id, "no"))


def questions() -> Iterator[tuple[str, str, bytes]]:
    log = digest("log")[:16]
    yield "an unknown question", ENCODING, encode(("everything",))
    yield "a limit of zero", ENCODING, encode(("page", log, 0, 0))
    yield "513 short ids", ENCODING, encode(("fetch-ids", bytes(8 * 513)))
    yield "short ids that are cut", ENCODING, encode(("fetch-ids", bytes(9)))
    yield "buckets of nine bits", ENCODING, encode(("reconcile", 9, bytes(8 * 512)))
    yield "sums that are too few", ENCODING, encode(("reconcile", 8, bytes(8 * 255)))
    yield "a statement of three", ENCODING, encode(("push", ((b"record", b"entry", b"more"),)))


def answers() -> Iterator[tuple[str, str, bytes]]:
    yield "an unknown answer", ENCODING, encode(("nothing",))
    yield "buckets that do not rise", ENCODING, encode(("differences", ((2, b""), (2, b"")), False))
    yield "more than 256 nodes", ENCODING, encode(("nodes", (b"node",) * 257))


def streams() -> Iterator[tuple[str, str, bytes]]:
    yield "an empty frame", ENCODING, bytes(4)
    yield "a frame of more than 1 MiB", ENCODING, (1_048_577).to_bytes(4, "big")


READ = {
    "record": envelopes,
    "request": requests,
    "frame": frames,
    "stream": streams,
    "question": questions,
    "answer": answers,
}


def refused_file() -> dict[str, Any]:
    """All cases, in order."""
    cases = [{"what": "cbor", "wrong": wrong, "reason": ENCODING, "bytes": data} for wrong, data in VALUES.items()]
    for what, made in READ.items():
        cases += [{"what": what, "wrong": wrong, "reason": why, "bytes": data.hex()} for wrong, why, data in made()]
    return {"now": NOW, "cases": cases}
