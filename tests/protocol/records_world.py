"""What the tests of the records share: three signers, their peers, and one of each record, the same in every run."""

from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from musig2 import SecretKey, Tweak, TweakKind, scheme
from musig2.protocol.records import ids
from musig2.protocol.records.envelope import seal
from musig2.protocol.records.peers import PeerIdentity
from musig2.protocol.records.records import (
    AbortBody,
    Advertisement,
    Cancel,
    Considering,
    Decline,
    DoneBody,
    Election,
    Entry,
    Join,
    Message,
    Node,
    NonceBody,
    Notice,
    PartialBody,
    Record,
    Request,
    Withdrawal,
)
from musig2.protocol.records.requests import ToSign, build_request
from musig2.protocol.wire.frames import Signed

NOW = 1_760_000_000_000
DAY = 24 * 3_600_000
MINUTE = 60_000
ADDRS = (bytes.fromhex("040a00000106") + (4327).to_bytes(2, "big"), b"\x29" + bytes(15) + b"\x01\x06\x10\xe7")


def digest(text: str) -> bytes:
    """32 bytes that anybody can make again."""
    return sha256(text.encode()).digest()


@dataclass(frozen=True)
class Signer:
    """A signer key and the peer it delegates to."""

    name: str
    secret: bytes
    key: SecretKey
    peer: PeerIdentity

    @classmethod
    def called(cls, name: str) -> "Signer":
        secret = digest(f"musigd test signer {name}")
        peer = PeerIdentity(digest(f"musigd test peer {name}"))
        return cls(name, secret, SecretKey.from_buffer(bytearray(secret)), peer)

    @property
    def pubkey(self) -> bytes:
        return self.key.pubkey

    def seal(self, record: Any) -> Signed[Any]:
        """The record, sealed as this signer and its peer would."""
        if isinstance(record, Message | Node | Notice):
            return seal(record, self.peer.sign, peer=self.peer.peer)
        cosign = self.peer.sign if isinstance(record, Advertisement | Join) else None
        return seal(record, lambda msg: scheme(record.scheme).schnorr_sign(self.key, msg), cosign)


ANNA, BEN, CLEO = (Signer.called(name) for name in ("anna", "ben", "cleo"))


def advertisement(**changes: Any) -> Advertisement:
    """Anna's advertisement, with changes."""
    fields: dict[str, Any] = {
        "scheme": "lotus",
        "pubkey": ANNA.pubkey,
        "peer": ANNA.peer.peer,
        "addrs": ADDRS,
        "types": ("spend", "swap"),
        "min": 1_000,
        "max": 5_000_000_000,
        "trust": {"reputation": 60, "requiresVerification": False},
        "metadata": {"nickname": "Zoë", "fees": 100, "reputation": {"score": 95, "completedSignings": 12}},
        "ts": NOW,
        "exp": NOW + DAY,
    }
    return Advertisement(**fields | changes)


def entry(of: Signed[Advertisement], **changes: Any) -> Entry:
    """The directory entry of an advertisement, with changes."""
    record = of.record
    fields: dict[str, Any] = {
        name: getattr(record, name) for name in ("scheme", "pubkey", "peer", "types", "ts", "exp")
    }
    return Entry(**fields | {"ad": of.id} | changes)


def request(scheme_name: str = "lotus", **changes: Any) -> Request:
    """Anna asks Ben and Cleo for two signatures."""
    tweaks: tuple[Tweak, ...] = (Tweak(TweakKind.TAPROOT),)
    if scheme_name == "bip340":
        tweaks = (Tweak(TweakKind.PLAIN, digest("plain")), Tweak(TweakKind.XONLY, digest("x-only")), *tweaks)
    fields: dict[str, Any] = {
        "scheme_name": scheme_name,
        "pubkeys": (BEN.pubkey, CLEO.pubkey, ANNA.pubkey),  # sorted: Cleo, Anna, Ben
        "to_sign": (ToSign(digest("item 0"), tweaks, 0), ToSign(digest("item 1"))),
        "creator": ANNA.pubkey,
        "created": NOW,
        "expires": NOW + DAY,
        "round_ms": 10 * MINUTE,
        "max_attempts": 5,
        "salt": digest("salt")[:16],
        "election": Election("hash-based", 5 * MINUTE),
        "metadata": {"purpose": "test", "amount": 4_000_000, "spentOutputs": ({"value": 1, "script": "51"},)},
    }
    return build_request(**fields | changes)


def join(of: Signed[Request], signer: Signer = ANNA, **changes: Any) -> Join:
    """A signer's join of a request, with changes."""
    fields: dict[str, Any] = {
        "scheme": of.record.scheme,
        "request": of.id,
        "attempt": 1,
        "pubkey": signer.pubkey,
        "peer": signer.peer.peer,
        "addrs": ADDRS[:1],
        "ts": NOW,
    }
    return Join(**fields | changes)


def notice(**changes: Any) -> Notice:
    """Anna's peer tells that keys are asked."""
    salt = digest("notice")[:16]
    fields: dict[str, Any] = {
        "peer": ANNA.peer.peer,
        "salt": salt,
        "tags": tuple(ids.tag_of(signer.pubkey, salt) for signer in (BEN, CLEO)),
        "ts": NOW,
        "exp": NOW + DAY,
    }
    return Notice(**fields | changes)


def every_record() -> dict[str, Record]:
    """One or more of each, by the name of their golden file. All are Anna's."""
    ad, asked = ANNA.seal(advertisement()), ANNA.seal(request())
    joined = ANNA.seal(join(asked))
    session = ids.session_id(asked.id, 1)
    head = {"session": session, "join": joined.id}
    bip340 = ANNA.seal(request("bip340"))
    ending: dict[str, Any] = {"scheme": "lotus", "request": asked.id, "pubkey": ANNA.pubkey, "ts": NOW}
    nonces = NonceBody(digest("joinset"), (bytes(range(66)), bytes(66)))
    abort = AbortBody("bad_partial", "request", (BEN.pubkey,), (b"an envelope", b"another"))
    return {
        "advertisement": ad.record,
        "advertisement_bare": advertisement(
            scheme="bip340", addrs=(), types=(), min=None, max=None, trust=None, metadata=None
        ),
        "withdrawal": Withdrawal("lotus", ANNA.pubkey, NOW),
        "entry": entry(ad),
        "request": asked.record,
        "request_bip340": bip340.record,
        "request_bare": request(
            to_sign=(ToSign(digest("item 0")),), pubkeys=(ANNA.pubkey, BEN.pubkey), election=None, metadata={}
        ),
        "join": joined.record,
        "decline": Decline(**ending, reason="not today"),
        "cancel": Cancel(**ending, reason=""),
        "considering": Considering(**ending),
        "message_nonce": Message(**head, body=nonces),
        "message_partial": Message(**head, body=PartialBody(digest("nonceset"), (digest("s0"), digest("s1")))),
        "message_abort": Message(**head, body=abort),
        "message_done": Message(**head, body=DoneBody(digest("txid"))),
        "node": Node(ANNA.peer.peer, ADDRS, ("directory", "relay"), NOW, NOW + DAY),
        "notice": notice(),
    }
