"""Spends of a Taproot output of three signers, by its key path and by leaves of its tree, with their signatures."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import product

from musig2 import Tweak, TweakKind, scheme
from musig2.chain.sighash import ANYONECANPAY, SINGLE, KeyPathSpend
from musig2.chain.tapscript import NO_CODESEPARATOR, Leaf, SpendPath
from musig2.chain.transaction import Transaction, TxInput, TxOutput
from musig2.curve import secp
from musig2.curve.hashing import tagged_hash
from musig2.curve.points import parse_pubkey
from musig2.tweaks import taptweak_bip341
from tests.musig2.musig2_world import seckey

TYPES = (0x00, 0x01, 0x02, 0x03, 0x81, 0x82, 0x83)
ANNEX = bytes.fromhex("50") + b"an annex of its own"
KEYS = tuple(seckey(f"{number:064x}") for number in (11, 12, 13))
PUBKEYS = tuple(sorted(key.pubkey for key in KEYS))
AGG = scheme("bip340").key_agg(PUBKEYS).aggpubkey
PUSH_AGG = b"\x20" + AGG[1:]
INTERNAL = bytes.fromhex("50929b74c1a04954b78b4b6035e97a5e078a5a0f28ec96d547bfee9ace803ac0")  # BIP-341: nobody's key
LEAVES = {
    "bare": PUSH_AGG + b"\xac",
    "verify": PUSH_AGG + b"\xad\x51",
    "add": b"\x00" + PUSH_AGG + b"\xba\x51\x87",
    "separated": b"\x51\x75\xab" + PUSH_AGG + b"\xac",
    "long": b"\x4d\x00\x01" + bytes(256) + b"\x75" + PUSH_AGG + b"\xac",
}


@dataclass(frozen=True)
class TaprootSpend:
    """Input 1 of a transaction of three inputs spends that output; `leaf` None: by its key path."""

    name: str
    kind: int
    path: SpendPath
    control_block: bytes
    tweaks: tuple[Tweak, ...]
    transaction: Transaction
    spent: tuple[TxOutput, ...]

    index = 1

    @property
    def agg(self) -> bytes:
        return scheme("bip340").key_agg(PUBKEYS, self.tweaks).aggpubkey

    @property
    def msg(self) -> bytes:
        return KeyPathSpend(self.transaction, self.spent).bip341(self.index, self.kind, self.path)

    def signature(self) -> bytes:
        """The MuSig2 signature of the three."""
        rules = scheme("bip340")
        keyagg = rules.key_agg(PUBKEYS, self.tweaks)
        signers = sorted(KEYS, key=lambda key: key.pubkey)
        made = [rules.nonce_gen(key, key.pubkey, keyagg, self.msg) for key in signers]
        session = rules.session(keyagg, rules.nonce_agg([public for _, public in made]), self.msg)
        psigs = [rules.sign(nonce, key, session) for (nonce, _), key in zip(made, signers, strict=True)]
        return rules.partial_sig_agg(psigs, session)

    def signed(self, signature: bytes) -> Transaction:
        """With the witness that the chain asks for."""
        witness = [signature + (bytes((self.kind,)) if self.kind else b"")]
        if self.path.leaf is not None:
            witness += [self.path.leaf.script, self.control_block]
        if self.path.annex is not None:
            witness.append(self.path.annex)
        inputs = list(self.transaction.inputs)
        inputs[self.index] = replace(inputs[self.index], witness=tuple(witness))
        return replace(self.transaction, inputs=tuple(inputs))


def spends() -> Iterator[TaprootSpend]:
    """Each way to spend with each sighash type, with and without annex."""
    for kind, annex in product(TYPES, (None, ANNEX)):
        yield key_path(kind, annex)
        for name, script in LEAVES.items():
            yield leaf_path(name, script, kind, annex)


def key_path(kind: int, annex: bytes | None = None) -> TaprootSpend:
    tweaks = (Tweak(TweakKind.PLAIN, b"\x07" * 32), Tweak(TweakKind.TAPROOT, bytes(range(32))))
    agg = scheme("bip340").key_agg(PUBKEYS, tweaks).aggpubkey
    return _spend("key", kind, SpendPath(annex), b"", tweaks, b"\x51\x20" + agg[1:])


def leaf_path(name: str, script: bytes, kind: int, annex: bytes | None = None) -> TaprootSpend:
    leaf, branches = Leaf(script), [Leaf(b"\x51").hash, tagged_hash("TapBranch", bytes(64))]
    node = leaf.hash
    for branch in branches:
        node = tagged_hash("TapBranch", *sorted((node, branch)))
    point = parse_pubkey(b"\x02" + INTERNAL)
    assert secp.pubkey_add(point, taptweak_bip341(INTERNAL, node))
    output = secp.pubkey_serialize(point)
    control_block = bytes((0xC0 | (output[0] & 1),)) + INTERNAL + b"".join(branches)
    separator = 2 if name == "separated" else NO_CODESEPARATOR
    path = SpendPath(annex, leaf, separator)
    return _spend(name, kind, path, control_block, (), b"\x51\x20" + output[1:])


def _spend(
    name: str, kind: int, path: SpendPath, control_block: bytes, tweaks: tuple[Tweak, ...], script: bytes
) -> TaprootSpend:
    others = tuple(TxOutput(5_000 + at, b"\x51\x20" + bytes((at,)) * 32) for at in (1, 3))
    spent = (others[0], TxOutput(90_000, script), others[1])
    transaction = Transaction(
        version=2,
        inputs=tuple(TxInput(bytes((at + 1,)) * 32, at, sequence=0xFFFFFFF0 + at) for at in range(3)),
        outputs=(TxOutput(60_000, b"\x51\x20" + b"\x09" * 32), TxOutput(30_000, script)),
        locktime=101,
    )
    return TaprootSpend(name, kind, path, control_block, tweaks, transaction, spent)


def covers(spend: TaprootSpend) -> dict[str, bool]:
    """What a signature of that type commits to, beside what every one does."""
    alone, base = bool(spend.kind & ANYONECANPAY), spend.kind & 3
    return {
        "other amount": not alone,
        "other script": not alone,
        "other sequence": not alone,
        "first output": base in (0, 1),
        "second output": base in (0, 1, SINGLE),
    }
