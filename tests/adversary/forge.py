"""Makes signed records as a stranger would: valid, unless the caller says otherwise."""

from __future__ import annotations

import random
import time
from collections.abc import Sequence
from functools import partial
from typing import Any

import musig2
from musig2.chain.address import script_pubkey
from musig2.chain.sighash import KeyPathSpend
from musig2.chain.transaction import Transaction, TxInput, TxOutput
from musig2.protocol.records.envelope import seal
from musig2.protocol.records.ids import tag_of
from musig2.protocol.records.peers import PeerIdentity
from musig2.protocol.records.records import Advertisement, Entry, Item, Join, Node, Notice, Open, Request
from musig2.protocol.wire.frame_codec import encode_frame
from musig2.protocol.wire.frames import Signed
from tests.adversary.target import Target

HOUR_MS = 3_600_000
ITEMS = 100  # the most that a request has
WEEK_MS = 7 * 24 * HOUR_MS


def now_ms() -> int:
    return int(time.time() * 1_000)


class Forge:
    """Makes keys and records from one random generator, so that a seed repeats the attack."""

    def __init__(self, target: Target, chance: random.Random) -> None:
        self.target = target
        self.chance = chance
        self.rules = musig2.scheme(target.scheme)

    def key(self) -> musig2.SecretKey:
        """A fresh key."""
        return musig2.SecretKey.from_buffer(bytearray(self.chance.randbytes(32)))

    def pubkeys(self, count: int) -> list[bytes]:
        """Public keys without known secrets: x-coordinates are tried until they are on the curve."""
        found: list[bytes] = []
        while len(found) < count:
            secret = self.key()
            found.append(secret.pubkey)
            secret.wipe()
        return found

    def identity(self) -> PeerIdentity:
        """A fresh peer identity."""
        return PeerIdentity(self.chance.randbytes(32))

    def signer(self, secret: musig2.SecretKey) -> Any:
        """A function that signs ids with a key."""
        return partial(self.rules.schnorr_sign, secret)

    def request(
        self, creator: musig2.SecretKey, others: Sequence[bytes] = (), *, agg: bytes | None = None, items: int = 1
    ) -> Signed[Request]:
        """A request for the creator, the victim's key and others; `agg`: claimed instead of the true aggregate."""
        keys = tuple(sorted({creator.pubkey, self.target.pubkey, *others}))
        under = agg or self.rules.key_agg(keys).aggpubkey
        asked = tuple(Item(self.chance.randbytes(32), (), under) for _ in range(items))
        return self._request(creator, keys, asked, {})

    def shown_request(self, creator: musig2.SecretKey) -> Signed[Request]:
        """One of many items, each of which is an input of a transaction that is shown: as large as it may be."""
        scheme = self.target.scheme
        keys = tuple(sorted({creator.pubkey, self.target.pubkey}))
        under = self.rules.key_agg(keys).aggpubkey
        spent = [TxOutput(1_000, script_pubkey(scheme, under))] * ITEMS
        inputs = tuple(TxInput(self.chance.randbytes(32), at) for at in range(ITEMS))
        spend = KeyPathSpend(Transaction(2, inputs, (TxOutput(1_000, b"\x51"),)), spent)
        outputs: tuple[Open, ...] = tuple({"value": out.value, "script": out.script_pubkey.hex()} for out in spent)
        shown: dict[str, Open] = {"transactionHex": spend.transaction.serialize().hex(), "spentOutputs": outputs}
        items = tuple(Item(spend.sighash(scheme, at, None), (), under, at) for at in range(ITEMS))
        return self._request(creator, keys, items, shown)

    def _request(
        self, creator: musig2.SecretKey, keys: tuple[bytes, ...], items: tuple[Item, ...], metadata: dict[str, Open]
    ) -> Signed[Request]:
        now = now_ms()
        record = Request(
            scheme=self.target.scheme,
            keys=keys,
            order=tuple(range(len(keys))),
            items=items,
            creator=creator.pubkey,
            created=now,
            expires=now + WEEK_MS - HOUR_MS,
            round_ms=600_000,
            max_attempts=5,
            salt=self.chance.randbytes(16),
            election=None,
            metadata=metadata,
        )
        return seal(record, self.signer(creator))

    def join(self, request: bytes, secret: musig2.SecretKey, peer: PeerIdentity, attempt: int = 1) -> Signed[Join]:
        """The join of an attempt by a key, through a peer."""
        record = Join(self.target.scheme, request, attempt, secret.pubkey, peer.peer, (), now_ms())
        return seal(record, self.signer(secret), peer.sign)

    def advertisement(
        self, secret: musig2.SecretKey, peer: PeerIdentity, addrs: tuple[bytes, ...] = (), types: Any = ("spend",)
    ) -> tuple[Signed[Advertisement], Signed[Entry]]:
        """An advertisement with its entry."""
        now, name = now_ms(), self.target.scheme
        record = Advertisement(name, secret.pubkey, peer.peer, addrs, types, now, now + HOUR_MS)
        signed = seal(record, self.signer(secret), peer.sign)
        entry = Entry(name, secret.pubkey, peer.peer, types, now, now + HOUR_MS, signed.id)
        return signed, seal(entry, self.signer(secret))

    def node(self, peer: PeerIdentity, addrs: tuple[bytes, ...]) -> Signed[Node]:
        """A node record that claims these addresses."""
        now = now_ms()
        return seal(Node(peer.peer, addrs, ("directory",), now, now + HOUR_MS), peer.sign)

    def notice(self, peer: PeerIdentity, keys: Sequence[bytes]) -> Signed[Notice]:
        """A notice that one of these keys is asked."""
        salt, now = self.chance.randbytes(16), now_ms()
        tags = tuple(sorted(tag_of(key, salt) for key in keys))
        return seal(Notice(peer.peer, salt, tags, now, now + HOUR_MS), peer.sign)

    def frame(self, signed: Signed[Any]) -> bytes:
        """A record as a frame of the session protocol."""
        return encode_frame(signed)
