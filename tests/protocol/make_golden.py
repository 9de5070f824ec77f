"""Writes musig2/protocol/vectors: run it by hand when a NEW record comes. A file that is there is never written again.

Bytes are shown as in CBOR's diagnostic notation, h'00ff'. Signatures are not deterministic, so the tests compare
everything but them, and verify the ones in the files.
"""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from musig2.protocol.broadcast.election import priority
from musig2.protocol.records import ids
from musig2.protocol.records.cbor import decode
from musig2.protocol.records.codec import encode_payload
from musig2.protocol.records.envelope import alg_of
from musig2.protocol.records.peers import peer_text
from musig2.protocol.records.records import TYPE_OF, Election, Request
from musig2.protocol.wire import sync
from musig2.protocol.wire.frame_codec import encode_frame, with_length
from musig2.protocol.wire.frames import Answer, Complete, Fetch, Frame, Have, Signed
from tests.protocol.make_meeting import evidence_file, hubs_file, transaction_file
from tests.protocol.make_refused import refused_file
from tests.protocol.make_session import made_session
from tests.protocol.records_world import ANNA, BEN, CLEO, Signer, advertisement, digest, every_record, join, request

GOLDEN = Path(__file__).parents[2] / "musig2/protocol/vectors"


def shown(value: Any) -> Any:
    """A decoded value as JSON that tells bytes from text."""
    match value:
        case bytes():
            return f"h'{value.hex()}'"
        case tuple():
            return [shown(item) for item in value]
        case dict():
            return {name: shown(item) for name, item in value.items()}
        case _:
            return value


def record_file(record: Any) -> dict[str, Any]:
    """Everything about one record that another implementation would compare."""
    payload = encode_payload(record)
    signed = ANNA.seal(record)
    return {
        "type": TYPE_OF[type(record)],
        "alg": alg_of(record),
        "tag": f"musigd/{alg_of(record)}/{TYPE_OF[type(record)]}/v1",
        "fields": shown(decode(payload)),
        "payload": payload.hex(),
        "id": signed.id.hex(),
        "envelope": signed.envelope.hex(),
    }


def signer_file(signer: Signer) -> dict[str, str]:
    """The keys behind the golden files; worth nothing anywhere else."""
    return {
        "secret": signer.secret.hex(),
        "pubkey": signer.pubkey.hex(),
        "peerSeed": digest(f"musigd test peer {signer.name}").hex(),
        "peer": signer.peer.peer.hex(),
        "peerText": peer_text(signer.peer.peer),
    }


def names_file() -> dict[str, Any]:
    """Ids and orders that follow from records."""
    asked = request()
    request_id = ids.record_id("lotus", "request", encode_payload(asked))
    session = ids.session_id(request_id, 2)
    joins = [digest(f"join {index}") for index in range(3)]
    joinset = ids.joinset(session, joins)
    pubnonces = [[bytes([signer, item]) * 33 for item in range(2)] for signer in range(3)]
    return {
        "request": request_id.hex(),
        "attempt": 2,
        "session": session.hex(),
        "joins": [name.hex() for name in joins],
        "joinset": joinset.hex(),
        "pubnonces": [[nonce.hex() for nonce in nonces] for nonces in pubnonces],
        "nonceset": ids.nonceset(joinset, pubnonces).hex(),
        "salt": digest("salt")[:16].hex(),
        "tags": {signer.pubkey.hex(): ids.tag_of(signer.pubkey, digest("salt")[:16]).hex() for signer in (ANNA, BEN)},
        "keys": [key.hex() for key in asked.keys],
        "order": list(asked.order),
        "priority": {method: list(priority(with_election(asked, method))) for method in METHODS},
    }


METHODS = ("lexicographic", "hash-based", "first-signer", "last-signer")


def with_election(asked: Request, method: str) -> Request:
    """The same request with another way to elect."""
    return replace(asked, election=Election(method, 1))


def frames() -> dict[str, Frame]:
    """One of each frame; those that hold signatures are written once and read ever after."""
    asked = ANNA.seal(request())
    delegation: Signed[Any] = ANNA.seal(advertisement())
    return {
        "env": ANNA.seal(join(asked)),
        "have": Have(asked.id, 2, b"\x07", b"\x05", b""),
        "complete": Complete(asked.id, (digest("r0") + digest("s0"), digest("r1") + digest("s1"))),
        "fetch": Fetch((delegation.envelope,)),
        "answer": Answer(asked.id, "not_yet"),
    }


def asks() -> dict[str, sync.Ask]:
    """One of each question of the directory protocol."""
    log = digest("log")[:16]
    return {
        "hello": sync.Hello(log, 7, 5, None),
        "since": sync.Since(log, 3, 100),
        "page": sync.LogPage(log, 3, 100),
        "reconcile": sync.Reconcile(8, b"".join(digest(f"sum {bucket}")[:8] for bucket in range(256))),
        "fetch-ids": sync.FetchIds(digest("a")[:8] + digest("b")[:8]),
        "push": sync.Push(((b"record", b"entry"), (b"withdrawal", None))),
        "peers": sync.Peers(20),
    }


def answers() -> dict[str, sync.Answer]:
    """One of each answer of the directory protocol."""
    log = digest("log")[:16]
    return {
        "greeting": sync.Greeting(log, 7, 5, 1_760_000_000_000),
        "short-ids": sync.ShortIds(log, 7, 5, digest("a")[:8]),
        "statements": sync.Statements(log, 7, 7, ((b"record", b"entry"), (b"node", None))),
        "differences": sync.Differences(((2, digest("a")[:8]), (17, b"")), True),
        "taken": sync.Taken(2),
        "nodes": sync.Nodes((b"node",)),
        "busy": sync.Busy(5_000),
    }


def every_file() -> dict[str, Any]:
    """All golden files by name."""
    files: dict[str, Any] = {name: record_file(record) for name, record in every_record().items()}
    files["signers"] = {signer.name: signer_file(signer) for signer in (ANNA, BEN, CLEO)}
    files["names"] = names_file()
    files["frames"] = {kind: encode_frame(frame).hex() for kind, frame in frames().items()}
    files["stream"] = {"frames": ["01", "0203"], "stream": (with_length(b"\x01") + with_length(b"\x02\x03")).hex()}
    files["directory"] = {
        "asks": {op: sync.encode_ask(ask).hex() for op, ask in asks().items()},
        "answers": {op: sync.encode_answer(answer).hex() for op, answer in answers().items()},
    }
    files["directory_stream"] = {
        "question": on_stream(0, 1, asks()["peers"]),
        "answer": on_stream(1, 1, answers()["taken"]),
    }
    for scheme in ("lotus", "bip340"):
        files[f"session_{scheme}"] = made_session(scheme)
        files[f"session_{scheme}_2of2"] = made_session(scheme, pubkeys=(BEN.pubkey, ANNA.pubkey))
        files[f"transaction_{scheme}"] = transaction_file(scheme)
        files[f"evidence_{scheme}"] = evidence_file(scheme)
    files["hubs"] = hubs_file()
    files["refused"] = refused_file()
    files["version"] = {"protocol": 1, "vectors": 3}
    return files


def on_stream(kind: int, number: int, message: Any) -> dict[str, Any]:
    """A question or its answer as it stands in the directory's stream."""
    payload = (sync.encode_answer if kind else sync.encode_ask)(message)
    data = with_length(bytes([kind]) + number.to_bytes(4, "big") + payload)
    return {"kind": kind, "number": number, "payload": payload.hex(), "stream": data.hex()}


def main() -> None:
    """Write what is not there yet."""
    GOLDEN.mkdir(exist_ok=True)
    for name, content in every_file().items():
        path = GOLDEN / f"{name}.json"
        if not path.exists():
            path.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
