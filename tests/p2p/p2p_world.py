"""Records for the tests of the network: made now, because the checks look at the real clock."""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass, field
from typing import Any

from musig2 import SecretKey, scheme
from musig2.protocol.records.envelope import seal
from musig2.protocol.records.peers import PeerIdentity
from musig2.protocol.records.records import Advertisement, Message, NonceBody, Notice, Withdrawal
from musig2.protocol.wire.frame_codec import encode_frame
from musig2.protocol.wire.frames import Have, Signed

DAY_MS = 24 * 3_600_000


def now_ms() -> int:
    return time.time_ns() // 10**6


@dataclass(frozen=True)
class Signer:
    """A signer key and the peer identity that it delegates to."""

    key: SecretKey = field(default_factory=SecretKey.generate)
    peer: PeerIdentity = field(default_factory=lambda: PeerIdentity(secrets.token_bytes(32)))

    def advertise(self, **changes: Any) -> Signed[Advertisement]:
        now = now_ms()
        fields: dict[str, Any] = {
            "scheme": "lotus",
            "pubkey": self.key.pubkey,
            "peer": self.peer.peer,
            "addrs": (),
            "types": ("spend",),
            "ts": now,
            "exp": now + DAY_MS,
        }
        record = Advertisement(**fields | changes)
        return seal(record, lambda msg: scheme(record.scheme).schnorr_sign(self.key, msg), self.peer.sign)

    def withdraw(self, ts: int | None = None) -> Signed[Withdrawal]:
        record = Withdrawal("lotus", self.key.pubkey, ts or now_ms())
        return seal(record, lambda msg: scheme("lotus").schnorr_sign(self.key, msg))

    def message(self, number: int = 0) -> Signed[Message]:
        body = NonceBody(bytes(32), (bytes([2]) * 33 + bytes([3]) * 33,))
        return seal(Message(number.to_bytes(32, "big"), bytes(32), body), self.peer.sign, peer=self.peer.peer)

    def notice(self) -> Signed[Notice]:
        now = now_ms()
        return seal(
            Notice(self.peer.peer, secrets.token_bytes(16), (secrets.token_bytes(8),), now, now + DAY_MS),
            self.peer.sign,
        )


def have(number: int) -> bytes:
    """A small frame that can be told apart."""
    return encode_frame(Have(number.to_bytes(32, "big"), 1, b"\x01", b"", b""))


def forged(signed: Signed[Any]) -> bytes:
    """The envelope with one bit of its last signature turned over."""
    broken = bytearray(signed.envelope)
    broken[-2] ^= 1
    return bytes(broken)
