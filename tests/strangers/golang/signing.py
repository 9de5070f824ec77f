"""A key that signs what it is asked: records in, records out, whoever carries them."""

from __future__ import annotations

import time
from typing import Any

import musig2
from musig2.protocol.records.cbor import encode
from musig2.protocol.records.envelope import open_verified, seal
from musig2.protocol.records.ids import joinset, nonceset, session_id
from musig2.protocol.records.peers import PeerIdentity
from musig2.protocol.records.records import Advertisement, Entry, Join, Message, NonceBody, PartialBody, Request
from musig2.protocol.records.requests import tweak_from_wire
from musig2.protocol.wire.frames import Signed

HOUR_MS = 3_600_000
LARGEST = 50_000


def now_ms() -> int:
    return int(time.time() * 1_000)


class Key:
    """A signer's key, and the peer that acts for it."""

    def __init__(self, scheme: str, identity: PeerIdentity) -> None:
        self.rules, self.identity = musig2.scheme(scheme), identity
        self.secret = musig2.SecretKey.generate()
        self.pubkey = self.secret.pubkey

    def sign(self, digest: bytes) -> bytes:
        return self.rules.schnorr_sign(self.secret, digest)

    def advertise(self, addrs: tuple[bytes, ...], after: int = 0) -> tuple[Signed[Any], Signed[Any]]:
        """An advertisement, later than `after`, and its entry."""
        now, scheme, peer = max(now_ms(), after + 1), self.rules.name, self.identity.peer
        record = Advertisement(scheme, self.pubkey, peer, addrs, ("spend",), now, now + HOUR_MS)
        signed = seal(record, self.sign, self.identity.sign)
        return signed, seal(Entry(scheme, self.pubkey, peer, ("spend",), now, now + HOUR_MS, signed.id), self.sign)


class Part:
    """The part of one key in the first attempt of a request."""

    def __init__(self, key: Key, asked: Signed[Request], addrs: tuple[bytes, ...]) -> None:
        self.key, self.asked, self.keys = key, asked, asked.record.keys
        self.session = session_id(asked.id, 1)
        self.index = self.keys.index(key.pubkey)
        join = Join(key.rules.name, asked.id, 1, key.pubkey, key.identity.peer, addrs, now_ms())
        self.joins = {self.index: seal(join, key.sign, key.identity.sign)}
        self.nonces: dict[int, Signed[Any]] = {}
        self.partials: dict[int, Signed[Any]] = {}
        self.secrets: list[Any] = []
        self.signatures: tuple[bytes, ...] = ()

    @property
    def said(self) -> list[bytes]:
        """The envelopes of everything that is known, for who lacks it."""
        return [each.envelope for slots in (self.joins, self.nonces, self.partials) for each in slots.values()]

    def complete(self, signatures: tuple[bytes, ...]) -> None:
        """Signatures prove themselves."""
        pairs = zip(self.asked.record.items, signatures, strict=True)
        if all(self.key.rules.schnorr_verify(item.agg, item.msg, signature) for item, signature in pairs):
            self.signatures = signatures

    def have(self) -> bytes:
        """The frame that asks others for what is missing."""
        slots = [sum(1 << index for index in known) for known in (self.joins, self.nonces, self.partials)]
        size = -(-len(self.keys) // 8)
        return encode(("have", self.asked.id, 1, *(each.to_bytes(size, "little") for each in slots)))

    def take(self, signed: Signed[Any]) -> list[bytes]:
        """Process a record of this request; what to send because of it."""
        match signed.record:
            case Join(request=self.asked.id, pubkey=pubkey, attempt=1):
                self.joins[self.keys.index(pubkey)] = signed
            case Message(session=self.session, join=join, body=body):
                who = [index for index, known in self.joins.items() if known.id == join]
                slots = {NonceBody: self.nonces, PartialBody: self.partials}.get(type(body))
                if who and slots is not None:
                    slots[who[0]] = signed
        return self._go_on()

    def _go_on(self) -> list[bytes]:
        out, everybody = [], len(self.keys)
        if len(self.joins) == everybody and self.index not in self.nonces:
            out.append(self._nonces())
        if len(self.nonces) == everybody and self.index not in self.partials:
            out.append(self._partials())
        if len(self.partials) == everybody and not self.signatures:
            rows = [self.partials[index].record.body.psigs for index in range(everybody)]
            psigs = zip(*rows, strict=True)
            rules = self.key.rules
            self.signatures = tuple(map(rules.partial_sig_agg, map(list, psigs), self.contexts))
        return out

    def _nonces(self) -> bytes:
        rules, secret = self.key.rules, self.key.secret
        tweaks = [[tweak_from_wire(tweak) for tweak in item.tweaks] for item in self.asked.record.items]
        self.aggregates = [rules.key_agg(self.keys, each) for each in tweaks]
        for aggregate, item in zip(self.aggregates, self.asked.record.items, strict=True):
            self.secrets.append(rules.nonce_gen(secret, secret.pubkey, aggregate, item.msg))
        self.joinset = joinset(self.session, (self.joins[index].id for index in range(len(self.keys))))
        return self._message(self.nonces, NonceBody(self.joinset, tuple(public for _, public in self.secrets)))

    def _partials(self) -> bytes:
        rules, items = self.key.rules, self.asked.record.items
        pubnonces = [self.nonces[index].record.body.pubnonces for index in range(len(self.keys))]
        aggnonces = [rules.nonce_agg(list(each)) for each in zip(*pubnonces, strict=True)]
        parts = zip(self.aggregates, aggnonces, items, strict=True)
        self.contexts = [rules.session(aggregate, nonce, item.msg) for aggregate, nonce, item in parts]
        made = zip(self.secrets, self.contexts, strict=True)
        psigs = tuple(rules.sign(nonce, self.key.secret, context) for (nonce, _), context in made)
        return self._message(self.partials, PartialBody(nonceset(self.joinset, pubnonces), psigs))

    def _message(self, slots: dict[int, Signed[Any]], body: NonceBody | PartialBody) -> bytes:
        message = Message(self.session, self.joins[self.index].id, body)
        slots[self.index] = seal(message, self.key.identity.sign, peer=self.key.identity.peer)
        return slots[self.index].envelope


def opened(envelope: bytes) -> Signed[Any]:
    """A record whose signatures hold."""
    return open_verified(envelope, max_bytes=LARGEST)
