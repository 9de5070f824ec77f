"""Envelopes: a payload together with the signatures that prove it.

    [type, alg, payload, pubkey, signature, cosig | null]

What is signed is the id, tagged_hash("musigd/<alg>/<type>/v1", payload). `signature` is made by the pubkey under `alg`;
`cosig`, on records that point at a peer, is the ed25519 signature over the same id by that peer. An envelope is opened
first, which is cheap, and its signatures are checked after; until they hold, nothing in it may be stored, forwarded,
logged or acted on.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final, TypeVar

from musig2 import scheme
from musig2.curve.batch import verify_all
from musig2.protocol.errors import BadEncoding, BadSignature, InvalidRecord
from musig2.protocol.records.cbor import decode, encode
from musig2.protocol.records.codec import decode_payload, encode_payload
from musig2.protocol.records.field_rules import SCHEMES
from musig2.protocol.records.ids import record_id
from musig2.protocol.records.peers import ed25519_of, ed25519_verify, peer_of
from musig2.protocol.records.records import TYPE_OF, Advertisement, Alg, Join, Message, Node, Notice, Record, Request
from musig2.protocol.wire.frames import Signed

R = TypeVar("R", bound=Record)
Sign = Callable[[bytes], bytes]
Triple = tuple[bytes, bytes, bytes]

_OF_PEER: Final = (Message, Node, Notice)
_COSIGNED: Final = (Advertisement, Join)
_OF_PEER_TYPES: Final = frozenset(TYPE_OF[cls] for cls in _OF_PEER)
_COSIGNED_TYPES: Final = frozenset(TYPE_OF[cls] for cls in _COSIGNED)
_HEAD: Final = 2  # bytes that CBOR puts before a byte string of 32 to 64 bytes


def open_envelope(data: bytes, *, max_bytes: int) -> Signed[Record]:
    """Decode an envelope and its payload strictly; BadEncoding if anything is off. The signatures are not checked."""
    if len(data) > max_bytes:
        raise BadEncoding("larger than is allowed here")
    envelope = split(data) or decode(data)
    if type(envelope) is not tuple or len(envelope) != 6:
        raise BadEncoding("an envelope that is not an array of six")
    record_type, alg, payload, pubkey, signature, cosig = envelope
    if type(record_type) is not str or type(alg) is not str or type(payload) is not bytes:
        raise BadEncoding("an envelope whose type or alg is not text, or whose payload is not bytes")
    if (alg != Alg.ED25519) if record_type in _OF_PEER_TYPES else (alg not in SCHEMES):
        raise BadEncoding("an alg that this type of record cannot have")
    if not _is_signature(signature) or not (_is_signature(cosig) if record_type in _COSIGNED_TYPES else cosig is None):
        raise BadEncoding("a signature or countersignature that has no 64 bytes, or should not be there")
    record = decode_payload(record_type, payload)
    if not _speaks_for(record, alg, pubkey):
        raise BadEncoding("an envelope and a payload that name different keys")
    return Signed(record, record_id(alg, record_type, payload), data)


_HEADS: Final = {
    encode((record_type, alg))[1:]: (record_type, alg)
    for record_type in [record_type.value for record_type in TYPE_OF.values()]
    for alg in (Alg.ED25519.value, *SCHEMES)
}
_SIGNATURE_HEAD: Final = b"\x58\x40"


def split(data: bytes) -> tuple[Any, ...] | None:
    """The six of an envelope of a known type, as `decode` gives them at several times the cost; None if in doubt."""
    try:
        first = 2 + data[1] - 0x60
        second = first + 1 + data[first] - 0x60
        named = _HEADS.get(data[1:second])
        if named is None or data[0] != 0x86:
            return None
        if data[second] == 0x58:
            start, least, size = second + 2, 24, data[second + 1]
        elif data[second] == 0x59:
            start, least, size = second + 3, 256, int.from_bytes(data[second + 1 : second + 3], "big")
        else:
            return None
        stop = start + size
        end = stop + 2 + data[stop + 1]
        if size < least or data[stop] != 0x58 or data[stop + 1] not in (32, 33):
            return None
    except IndexError:
        return None
    signature, cosig = data[end + 2 : end + 66], data[end + 66 :]
    if data[end : end + 2] != _SIGNATURE_HEAD or len(signature) != 64:
        return None
    if len(cosig) == 66 and cosig.startswith(_SIGNATURE_HEAD):
        return (*named, data[start:stop], data[stop + 2 : end], signature, cosig[2:])
    return (*named, data[start:stop], data[stop + 2 : end], signature, None) if cosig == b"\xf6" else None


def _joined(head: bytes, payload: bytes, pubkey: bytes, signature: bytes, cosig: bytes | None) -> bytes:
    """The encoding of the six, put together from those of its parts; `head`: type and alg."""
    if len(signature) != 64 or (cosig is not None and len(cosig) != 64):
        raise InvalidRecord("a signature that has no 64 bytes")
    end = b"\xf6" if cosig is None else _SIGNATURE_HEAD + cosig
    return b"".join((_start(head, payload, pubkey), signature, end))


def _start(head: bytes, payload: bytes, pubkey: bytes) -> bytes:
    return b"".join((b"\x86", head, encode(payload), encode(pubkey), _SIGNATURE_HEAD))


_HEAD_OF: Final[dict[tuple[str, str], bytes]] = {named: head for head, named in _HEADS.items()}


def envelope_start(record_type: str, alg: str, payload: bytes, pubkey: bytes) -> bytes:
    """All of an envelope that stands before its signature."""
    return _start(_HEAD_OF[record_type, alg], payload, pubkey)


def _is_signature(value: Any) -> bool:
    return type(value) is bytes and len(value) == 64


def _speaks_for(record: Record, alg: Any, pubkey: Any) -> bool:
    """Whether the envelope's pubkey is the one that the payload names; a message names none."""
    match record:
        case Message():
            return type(pubkey) is bytes and len(pubkey) == 32
        case Node() | Notice():
            return bool(ed25519_of(record.peer) == pubkey)
        case Request():
            return bool(record.creator == pubkey and record.scheme == alg)
        case _:
            return bool(record.pubkey == pubkey and record.scheme == alg)


def signer_peer(signed: Signed[Record]) -> bytes | None:
    """The peer id that signed or countersigned the record; None where no peer did.

    A message names no peer: only the join that it refers to says whose it has to be. Whoever takes a message compares
    this with the join's peer BEFORE anything else, the id included: a stranger can sign the same payload.
    """
    record = signed.record
    if isinstance(record, Message):
        return peer_of(_signing_key(signed))
    return record.peer if isinstance(record, (Node, Notice, Advertisement, Join)) else None


def alg_of(record: Record) -> str:
    """Under what a record is signed."""
    return Alg.ED25519 if isinstance(record, _OF_PEER) else record.scheme


def _signing_key(signed: Signed[Record]) -> bytes:
    record = signed.record
    if isinstance(record, _OF_PEER):  # [..., 32 bytes, 64 bytes, null]
        return signed.envelope[-65 - _HEAD - 32 : -65 - _HEAD]
    return record.creator if isinstance(record, Request) else record.pubkey


def _triples(signed: Signed[Record]) -> tuple[Triple, Triple | None]:
    """What the signature and the countersignature say, as (pubkey, msg, signature). Both stand at the end."""
    key, envelope = _signing_key(signed), signed.envelope
    if isinstance(signed.record, _COSIGNED):
        cosigned = (ed25519_of(signed.record.peer), signed.id, envelope[-64:])
        return (key, signed.id, envelope[-128 - _HEAD : -64 - _HEAD]), cosigned
    return (key, signed.id, envelope[-65:-1]), None


def check_signatures(signed: Signed[Record]) -> bool:
    """Whether signature and countersignature of an opened envelope hold."""
    return check_many([signed])[0]


def check_many(batch: Sequence[Signed[Record]]) -> list[bool]:
    """`check_signatures` of many, on all cores; one answer each, in order."""
    asked: dict[str, list[tuple[int, Triple]]] = {}
    for index, signed in enumerate(batch):
        signature, cosig = _triples(signed)
        asked.setdefault(alg_of(signed.record), []).append((index, signature))
        if cosig is not None:
            asked.setdefault(Alg.ED25519, []).append((index, cosig))
    good = [True] * len(batch)
    for alg, triples in asked.items():
        answers = _verify(alg, [triple for _, triple in triples])
        for (index, _), answer in zip(triples, answers, strict=True):
            good[index] = good[index] and answer
    return good


def _verify(alg: str, triples: list[Triple]) -> list[bool]:
    return verify_all(ed25519_verify, triples) if alg == Alg.ED25519 else scheme(alg).verify_many(triples)


def open_verified(data: bytes, *, max_bytes: int) -> Signed[Record]:
    """An envelope opened and its signatures checked; BadEncoding or BadSignature."""
    signed = open_envelope(data, max_bytes=max_bytes)
    if not check_signatures(signed):
        raise BadSignature(TYPE_OF[type(signed.record)])
    return signed


def seal(record: R, sign: Sign, cosign: Sign | None = None, *, peer: bytes | None = None) -> Signed[R]:
    """Sign a record. `sign(id)` gives 64 bytes of the record's key, or of its peer where a peer signs.

    `cosign(id)` is the ed25519 signature of the peer that an advertisement or a join names, needed for these two only.
    `peer` is who signs a message, which does not say so itself. InvalidRecord if a peer would refuse the record.
    """
    record_type, alg = TYPE_OF[type(record)], alg_of(record)
    if (cosign is None) == isinstance(record, _COSIGNED):
        raise InvalidRecord("an advertisement and a join need a countersignature, nothing else has one")
    pubkey = _own_key(record, peer)
    payload = encode_payload(record)
    digest = record_id(alg, record_type, payload)
    cosig = cosign(digest) if cosign is not None else None
    return Signed(record, digest, _joined(_HEAD_OF[record_type, alg], payload, pubkey, sign(digest), cosig))


def _own_key(record: Record, peer: bytes | None) -> bytes:
    match record:
        case Message():
            if peer is None:
                raise InvalidRecord("a message must be sealed with the peer that signs it")
            return ed25519_of(peer)
        case Node() | Notice():
            return ed25519_of(record.peer)
        case Request():
            return record.creator
        case _:
            return record.pubkey
