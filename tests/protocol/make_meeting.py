"""Three vectors beside records and sessions: whom a large request meets, what a request shows, what proves a fault."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from musig2 import Tweak, TweakKind
from musig2.chain.address import script_pubkey
from musig2.chain.sighash import KeyPathSpend
from musig2.chain.transaction import Transaction, TxInput, TxOutput
from musig2.protocol.records import ids
from musig2.protocol.records.records import Message, NonceBody, PartialBody, Request
from musig2.protocol.records.requests import ToSign
from musig2.protocol.request.meeting.topology import hub_order, hubs_of
from musig2.protocol.wire.frames import Signed
from tests.musig2.slow_musig2 import SLOW, encode
from tests.protocol.make_session import item_file, messages, signers_of
from tests.protocol.records_world import ANNA, BEN, CLEO, NOW, Signer, digest, join, request

SIGNERS = 20
CREATOR = 7
VALUES = (5_000_000, 3_000_000, 1_000_000)


def hubs_file() -> dict[str, Any]:
    """The order of the hubs, and those of a request whose signers speak through these peers; null: not joined."""
    asked = digest("musigd test hubs")
    order = hub_order(asked, SIGNERS, CREATOR)
    peers: list[bytes | None] = [digest(f"peer {index // 4}") for index in range(SIGNERS)]
    peers[order[2]] = None
    return {
        "request": asked.hex(),
        "signers": SIGNERS,
        "creator": CREATOR,
        "order": list(order),
        "peers": [peer and peer.hex() for peer in peers],
        "hubs": hubs_of(order, lambda index: peers[index]),
    }


def transaction_parts(scheme: str) -> tuple[Request, Transaction, list[TxOutput]]:
    """Anna asks Ben to spend three outputs of theirs by the key, with the tweak of a key without scripts."""
    tweaks = (Tweak(TweakKind.TAPROOT),)
    keys = sorted((ANNA.pubkey, BEN.pubkey))
    script = script_pubkey(scheme, bytes.fromhex(aggregate(scheme, keys)))
    spent = [TxOutput(value, script) for value in VALUES]
    inputs = tuple(TxInput(digest(f"musigd test transaction {index}"), index) for index in range(len(VALUES)))
    spend = Transaction(2, inputs, (TxOutput(sum(VALUES) - 1_000, script), TxOutput(0, b"\x6a")))
    path = KeyPathSpend(spend, spent)
    shown = {
        "transactionHex": spend.serialize().hex(),
        "spentOutputs": tuple({"value": each.value, "script": each.script_pubkey.hex()} for each in spent),
    }
    to_sign = tuple(ToSign(path.sighash(scheme, index, None), tweaks, index) for index in range(len(VALUES)))
    return request(scheme, pubkeys=tuple(keys), to_sign=to_sign, metadata=shown), spend, spent


def aggregate(scheme: str, keys: Sequence[bytes]) -> str:
    """Their key with the tweak, in plain integers."""
    return encode(SLOW[scheme].keys(list(keys), [(int(TweakKind.TAPROOT), None)]).q).hex()


def transaction_file(scheme: str) -> dict[str, Any]:
    """A request that shows its transaction, and what the hashes are made of."""
    asked, spend, spent = transaction_parts(scheme)
    sealed = ANNA.seal(asked)
    return {
        "scheme": scheme,
        "keys": [key.hex() for key in asked.keys],
        "aggPubkey": asked.items[0].agg.hex(),
        "outpoints": [each.outpoint.hex() for each in spend.inputs],
        "spentOutputs": [{"value": each.value, "script": each.script_pubkey.hex()} for each in spent],
        "outputs": [{"value": each.value, "script": each.script_pubkey.hex()} for each in spend.outputs],
        "transactionHex": spend.serialize().hex(),
        "messages": [item.msg.hex() for item in asked.items],
        "request": sealed.id.hex(),
        "requestEnvelope": sealed.envelope.hex(),
    }


class _Case:
    """What three signers say in one attempt, to be altered."""

    def __init__(self, scheme: str) -> None:
        self.asked: Signed[Request] = ANNA.seal(request(scheme))
        self.signers = signers_of(self.asked.record)
        self.joins = [signer.seal(join(self.asked, signer)) for signer in self.signers]
        items = [item_file(self.asked.record, number) for number in range(2)]
        self.session = ids.session_id(self.asked.id, 1)
        self.pubnonces = self._rows(items, "pubnonces")
        self.psigs = self._rows(items, "partialSignatures")
        joinset = ids.joinset(self.session, [each.id for each in self.joins])
        self.nonce_bodies = [NonceBody(joinset, each) for each in self.pubnonces]
        self.nonces = messages(self.signers, self.joins, self.session, self.nonce_bodies)
        self.nonceset = ids.nonceset(joinset, self.pubnonces)

    def _rows(self, items: list[dict[str, Any]], name: str) -> list[tuple[bytes, ...]]:
        return [tuple(bytes.fromhex(item[name][index]) for item in items) for index in range(3)]

    def said(self, index: int, body: Any, by: Signer | None = None) -> Signed[Any]:
        """A message under the join of a signer, signed by its peer or by another one's."""
        return (by or self.signers[index]).seal(Message(self.session, self.joins[index].id, body))

    def partial(self, index: int, psigs: Sequence[bytes], nonceset: bytes = b"") -> Signed[Any]:
        return self.said(index, PartialBody(nonceset or self.nonceset, tuple(psigs)))

    def wrong(self, index: int) -> Signed[Any]:
        """The partial signatures of another signer."""
        return self.partial(index, self.psigs[(index + 1) % 3])

    def cases(self) -> dict[str, tuple[list[Signed[Any]], str]]:
        """What is shown, and what it proves about signer 1."""
        body, own, transcript = self.nonce_bodies[1], self.joins[1], [*self.joins, *self.nonces]
        other = replace(body, joinset=digest("other"))
        again = self.signers[1].seal(join(self.asked, self.signers[1], ts=NOW + 1))
        return {
            "two nonce messages": ([self.nonces[1], self.said(1, other), own], "equivocation"),
            "two partial messages": ([self.partial(1, self.psigs[1]), self.wrong(1), own], "equivocation"),
            "one nonce for two items": ([self.said(1, NonceBody(body.joinset, body.pubnonces[:1])), own], USELESS),
            "a nonce that is no point": ([self.said(1, NonceBody(body.joinset, (bytes(66),) * 2)), own], USELESS),
            "a wrong partial signature": ([self.wrong(1), *transcript], "bad_partial"),
            "one partial signature for two items": ([self.partial(1, self.psigs[1][:1]), *transcript], "bad_partial"),
            "two joins of one key": ([own, again], "join_conflict"),
            "nothing": ([], ""),
            "a good partial signature": ([self.partial(1, self.psigs[1]), *transcript], ""),
            "the same nonce message twice": ([self.nonces[1], self.nonces[1], own], ""),
            "two nonce messages without the join": ([self.nonces[1], self.said(1, other)], ""),
            "a second nonce message by another signer's peer": ([self.nonces[1], self.said(1, other, CLEO), own], ""),
            "a wrong partial signature without all nonces": ([self.wrong(1), *transcript[:-1]], ""),
            "a partial under another nonceset": ([self.partial(1, self.psigs[0], digest("set")), *transcript], ""),
            "a wrong partial signature after a second join": ([self.wrong(1), again, *transcript], "join_conflict"),
        }


USELESS = "invalid_contribution"


def evidence_file(scheme: str) -> dict[str, Any]:
    """What envelopes prove about the signer at position 1 of `keys`, beside the request they belong to."""
    case = _Case(scheme)
    return {
        "scheme": scheme,
        "request": case.asked.envelope.hex(),
        "pubkey": case.asked.record.keys[1].hex(),
        "cases": [
            {"what": what, "evidence": [signed.envelope.hex() for signed in shown], "proves": proves or None}
            for what, (shown, proves) in case.cases().items()
        ],
    }
