"""One whole session as a file, with every secret in it: what each signer computes, and each frame that is sent.

The arithmetic is that of plain integers, so it owes nothing to what the daemon signs with.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from musig2.protocol.records import ids
from musig2.protocol.records.records import Message, NonceBody, PartialBody, Request
from musig2.protocol.wire.frame_codec import encode_frame, with_length
from musig2.protocol.wire.frames import Complete, Signed
from tests.musig2.slow_musig2 import SLOW, N, base_mul, encode, nonce_agg
from tests.protocol.records_world import ANNA, BEN, CLEO, Signer, digest, join, request

Nonces = tuple[int, int]


def signers_of(asked: Request) -> tuple[Signer, ...]:
    """The signers of a request, in the order of its keys."""
    known = {signer.pubkey: signer for signer in (ANNA, BEN, CLEO)}
    return tuple(known[key] for key in asked.keys)


def secret_nonces(asked: Request, signer: Signer, item: int) -> Nonces:
    """k1 and k2 that anybody can make again, as nobody may who signs in earnest; docs/protocol.md states the texts."""
    session = asked.scheme if len(asked.keys) == 3 else f"{asked.scheme} {len(asked.keys)}of{len(asked.keys)}"
    first, second = (
        int.from_bytes(digest(f"musigd test nonce {session} {signer.name} item {item} k{number}")) % N
        for number in (1, 2)
    )
    return first, second


def hexed(value: int) -> str:
    return value.to_bytes(32).hex()


def public_nonce(nonces: Nonces) -> bytes:
    return encode(base_mul(nonces[0])) + encode(base_mul(nonces[1]))


def item_file(asked: Request, number: int) -> dict[str, Any]:
    """What all signers come to for one message."""
    rules, item = SLOW[asked.scheme], asked.items[number]
    keys = rules.keys(list(asked.keys), [(int(tweak.kind), tweak.value) for tweak in item.tweaks])
    signers = signers_of(asked)
    secrets = [secret_nonces(asked, signer, number) for signer in signers]
    pubnonces = [public_nonce(nonces) for nonces in secrets]
    aggnonce = nonce_agg(pubnonces)
    values = rules.values(keys, aggnonce, item.msg)
    own = [int.from_bytes(signer.secret) for signer in signers]
    psigs = [rules.sign(keys, values, k, d, index) for index, (k, d) in enumerate(zip(secrets, own, strict=True))]
    return {
        "msg": item.msg.hex(),
        "tweaks": [[int(tweak.kind), None if tweak.value is None else tweak.value.hex()] for tweak in item.tweaks],
        "coefficients": [hexed(coefficient) for coefficient in keys.coefficients],
        "internalPubkey": encode(keys.internal).hex(),
        "aggPubkey": encode(keys.q).hex(),
        "secretNonces": [[hexed(k) for k in nonces] for nonces in secrets],
        "pubnonces": [nonce.hex() for nonce in pubnonces],
        "aggnonce": aggnonce.hex(),
        "b": hexed(values.b),
        "r": encode(values.r).hex(),
        "e": hexed(values.e),
        "partialSignatures": [hexed(psig) for psig in psigs],
        "signature": rules.signature(keys, values, psigs).hex(),
    }


def session_file(asked: Signed[Request], joins: Sequence[Signed[Any]]) -> dict[str, Any]:
    """The session that these records begin. Only their signatures are not the same each time they are made."""
    signers = signers_of(asked.record)
    items = [item_file(asked.record, number) for number in range(len(asked.record.items))]
    session = ids.session_id(asked.id, 1)
    joinset = ids.joinset(session, [joined.id for joined in joins])
    pubnonces = [tuple(bytes.fromhex(item["pubnonces"][index]) for item in items) for index in range(len(signers))]
    nonceset = ids.nonceset(joinset, pubnonces)
    psigs = [tuple(bytes.fromhex(item["partialSignatures"][index]) for item in items) for index in range(len(signers))]
    nonces = messages(signers, joins, session, [NonceBody(joinset, each) for each in pubnonces])
    partials = messages(signers, joins, session, [PartialBody(nonceset, each) for each in psigs])
    signatures = tuple(bytes.fromhex(item["signature"]) for item in items)
    return {
        "scheme": asked.record.scheme,
        "signers": [{"name": each.name, "secret": each.secret.hex(), "pubkey": each.pubkey.hex()} for each in signers],
        "request": asked.id.hex(),
        "attempt": 1,
        "session": session.hex(),
        "joins": [joined.id.hex() for joined in joins],
        "joinset": joinset.hex(),
        "nonceset": nonceset.hex(),
        "items": items,
        "frames": [
            said("request", ANNA, encode_frame(asked)),
            *(said("join", *each) for each in zip(signers, map(encode_frame, joins), strict=True)),
            *(said("nonce", *each) for each in zip(signers, map(encode_frame, nonces), strict=True)),
            *(said("partial", *each) for each in zip(signers, map(encode_frame, partials), strict=True)),
            said("complete", signers[0], encode_frame(Complete(asked.id, signatures))),
        ],
    }


def messages(
    signers: Sequence[Signer], joins: Sequence[Signed[Any]], session: bytes, bodies: Sequence[Any]
) -> list[Signed[Any]]:
    """One message of each signer's peer."""
    made = zip(signers, joins, bodies, strict=True)
    return [signer.seal(Message(session, joined.id, body)) for signer, joined, body in made]


def said(what: str, by: Signer, frame: bytes) -> dict[str, str]:
    """A frame that goes to every other signer, as it stands in the stream."""
    return {"frame": what, "from": by.name, "stream": with_length(frame).hex()}


def made_session(scheme: str, **changes: Any) -> dict[str, Any]:
    """A session from nothing: anna asks, with changes, and all whom she asks join."""
    asked = ANNA.seal(request(scheme, **changes))
    return session_file(asked, [signer.seal(join(asked, signer)) for signer in signers_of(asked.record)])
