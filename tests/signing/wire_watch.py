"""Judges the frames of a test: no nonce may answer two challenges, no slot may be filled twice."""

from __future__ import annotations

from collections import defaultdict

from musig2.protocol.records.envelope import signer_peer
from musig2.protocol.records.records import Join, Message, NonceBody, PartialBody
from musig2.protocol.wire.frame_codec import open_frame
from musig2.protocol.wire.frames import Complete, Signed
from tests.signing.memory_net import MAX_FRAME, Hub


def assert_nonces_used_once(hub: Hub) -> tuple[set[tuple[bytes, ...]], int]:
    """All final signatures that were shown, and how many partial messages there were; fails on any second use."""
    nonces: dict[tuple[bytes, bytes], set[tuple[bytes, ...]]] = defaultdict(set)
    partials: dict[tuple[bytes, bytes], set[bytes]] = defaultdict(set)
    joins: dict[tuple[bytes, int, bytes], set[bytes]] = defaultdict(set)
    complete: set[tuple[bytes, ...]] = set()
    for data in {data for _, _, data in hub.carried}:
        match open_frame(data, max_bytes=MAX_FRAME):
            case Signed(record=Message(join=join, body=NonceBody() as body)) as signed:
                nonces[join, signer_peer(signed) or b""].add(body.pubnonces)
            case Signed(record=Message(join=join, body=PartialBody() as body)) as signed:
                partials[join, signer_peer(signed) or b""].add(body.nonceset)
            case Signed(id=name, record=Join() as record):
                joins[record.request, record.attempt, record.pubkey].add(name)
            case Complete(signatures=found):
                complete.add(found)
            case _:
                pass
    assert all(len(made) == 1 for made in nonces.values()), "a join was followed by two different nonces"
    assert all(len(made) == 1 for made in partials.values()), "one nonce answered two nonce sets"
    assert all(len(made) == 1 for made in joins.values()), "one attempt was joined twice"
    used = [nonce for made in nonces.values() for whole in made for nonce in whole]
    assert len(used) == len(set(used)), "a public nonce was used in two attempts"
    return complete, len(partials)
