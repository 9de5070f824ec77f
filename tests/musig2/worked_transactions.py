"""One transaction per scheme, gone through value by value with hashlib and plain integers: docs/worked-transactions.md.

python -m tests.musig2.worked_transactions     writes the page; a test holds it to this, and this to the product
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from pathlib import Path

from tests.musig2.slow_musig2 import SLOW, N, base_mul, encode, integer, nonce_agg, tagged

PAGE = Path(__file__).parents[2] / "docs/worked-transactions.md"
SECRETS = (2, 3)  # so that anybody can check; keys like these belong to everybody
NONCES = ((11, 12), (13, 14))  # fixed for the page alone: a nonce is random, and used once
VALUES, PAID = (5_000_000, 3_000_000), (2_500_000, 5_499_000)  # satoshis; the fee is 1 000
FUNDING = hashlib.sha256(b"stands for the funding transaction").digest()
PAYEE = {"lotus": "76a914" + "11" * 20 + "88ac", "bip340": "0014" + "11" * 20}
SEQUENCE, VERSION, LOCKTIME = b"\xff" * 4, b"\x02\x00\x00\x00", bytes(4)
TITLES = {"lotus": "Lotus: SIGHASH_LOTUS, type `0x61`", "bip340": "Bitcoin: BIP-341, key path, default type"}
HEAD = """# One transaction per scheme, value by value

For authors of wallets in other languages: compute each value and compare. Two signers with the secret keys 2 and 3
spend two outputs of their aggregate key, partly to a third party and partly back to themselves. Everything is hex, in
the byte order in which it is hashed; numbers in transactions are little-endian; ‖ joins bytes. H_tag is the tagged hash
of BIP-340, SHA256(SHA256(tag) ‖ SHA256(tag) ‖ ...); sha256d is SHA256 twice.

Written by `python -m tests.musig2.worked_transactions` in plain integers; a test compares every value with the code of
the daemon.
The nonces are fixed, so that you can compute the signature: **a real nonce is random and used once.**
"""


@dataclass
class Worked:
    """The values of one scheme in the order of the page, by name; `steps` also has the headings and explanations."""

    scheme: str
    values: dict[str, bytes] = field(default_factory=dict)
    steps: list[str] = field(default_factory=list)

    def head(self, title: str, words: str = "") -> None:
        self._close()
        self.steps += [f"### {title}", "", *([words, ""] if words else [])]

    def add(self, name: str, value: bytes, what: str) -> bytes:
        if not self.steps[-1].startswith("|"):
            self.steps += ["| | what | value |", "|---|---|---|"]
        self.values[name] = value
        self.steps.append(f"| {name} | {what} | `{value.hex()}` |")
        return value

    def _close(self) -> None:
        if self.steps and self.steps[-1]:
            self.steps.append("")


def sha256(*parts: bytes) -> bytes:
    return hashlib.sha256(b"".join(parts)).digest()


def sha256d(*parts: bytes) -> bytes:
    return sha256(sha256(*parts))


def u64(value: int) -> bytes:
    return value.to_bytes(8, "little")


def sized(data: bytes) -> bytes:
    assert len(data) < 0xFD
    return bytes((len(data),)) + data


def output(value: int, script: bytes) -> bytes:
    return u64(value) + sized(script)


def work(name: str) -> Worked:
    """All values of one scheme."""
    worked = Worked(name)
    script = _keys(worked)
    message = _transaction(worked, script)
    _signature(worked, message)
    return worked


def _keys(worked: Worked) -> bytes:
    lotus = worked.scheme == "lotus"
    pubkeys = sorted(encode(base_mul(secret)) for secret in SECRETS)
    keys = SLOW[worked.scheme].keys(pubkeys, [(2, None)])
    internal = encode(keys.internal)
    worked.head(
        "Keys: the output to spend", "`aggregateKeys {publicKeys, scheme, tweaks: [{taprootMerkleRoot: null}]}`"
    )
    for index, pubkey in enumerate(pubkeys):
        worked.add(f"P{index}", pubkey, "a public key; keys are sorted")
    worked.add("L", tagged("KeyAgg list", b"".join(pubkeys)), "H_KeyAgg list(P0 ‖ P1)")
    for index, factor in enumerate(keys.coefficients):
        why = "1: the second distinct key" if factor == 1 else f"H_KeyAgg coefficient(L ‖ P{index}) mod n"
        worked.add(f"a{index}", factor.to_bytes(32), why)
    worked.add("Q", internal, "a0·P0 + a1·P1: `internalPublicKey`")
    if lotus:
        worked.add("t", tagged("TapTweak", internal + bytes(32)), "H_TapTweak(Q, 33 bytes ‖ 32 zero bytes: no root)")
        worked.add("C", encode(keys.q), "Q + t·G: `aggregatedPublicKey`")
        return worked.add("script", b"\x62\x51\x21" + encode(keys.q), "`625121` ‖ C: `scriptPubKey`")
    worked.add("t", tagged("TapTweak", internal[1:]), "H_TapTweak(x(Q), 32 bytes: no root)")
    worked.add("C", encode(keys.q), "Q with even y + t·G: `aggregatedPublicKey`")
    return worked.add("script", b"\x51\x20" + encode(keys.q)[1:], "`5120` ‖ x(C): `scriptPubKey`")


def _transaction(worked: Worked, script: bytes) -> bytes:
    payee = bytes.fromhex(PAYEE[worked.scheme])
    outpoints = [FUNDING + index.to_bytes(4, "little") for index in range(2)]
    spent = [output(value, script) for value in VALUES]
    paid = [output(PAID[0], payee), output(PAID[1], script)]
    worked.head(
        "The transaction",
        f"Inputs of {VALUES[0]} and {VALUES[1]} satoshis, outputs of {PAID[0]} and {PAID[1]}.",
    )
    for index in range(2):
        worked.add(f"outpoint{index}", outpoints[index], "txid as hashed, not as displayed ‖ output number, 4 bytes")
    for index in range(2):
        worked.add(f"spent{index}", spent[index], "`spentOutputs`: value, 8 bytes ‖ length of the script ‖ script")
    for index in range(2):
        worked.add(f"output{index}", paid[index], "value ‖ length of the script ‖ script")
    inputs = b"".join(outpoint + b"\x00" + SEQUENCE for outpoint in outpoints)
    worked.add(
        "transaction",
        VERSION + b"\x02" + inputs + b"\x02" + b"".join(paid) + LOCKTIME,
        "`transactionHex`: version 2 ‖ 2 inputs: outpoint, empty script, sequence ‖ 2 outputs ‖ locktime 0",
    )
    if worked.scheme == "lotus":
        return _lotus_hash(worked, outpoints, spent, paid)
    return _bip341_hash(worked, outpoints, script, paid)


def _lotus_hash(worked: Worked, outpoints: list[bytes], spent: list[bytes], paid: list[bytes]) -> bytes:
    worked.head(
        "The hash of input 0",
        "A merkle root is sha256d(left ‖ right) of the leaves, level by level, a level of odd length is filled up\n"
        "with 32 zero bytes; its height counts the levels, 1 for a single leaf.",
    )
    own = worked.add(
        "input hash",
        sha256d(b"\x00", outpoints[0], SEQUENCE, spent[0]),
        "sha256d(00 ‖ outpoint0 ‖ sequence ‖ spent0)",
    )
    spent_root = worked.add(
        "spent root", sha256d(sha256d(spent[0]), sha256d(spent[1])), "merkle root of sha256d(spent0), sha256d(spent1)"
    )
    inputs_root = worked.add(
        "inputs root",
        sha256d(sha256d(outpoints[0], SEQUENCE), sha256d(outpoints[1], SEQUENCE)),
        "merkle root of sha256d(outpoint ‖ sequence) of both inputs",
    )
    outputs_root = worked.add(
        "outputs root", sha256d(sha256d(paid[0]), sha256d(paid[1])), "merkle root of sha256d(output0), sha256d(output1)"
    )
    hashed = worked.add(
        "hashed",
        b"".join(
            (
                b"\x61\x00\x00\x00" + own + bytes(4) + spent_root + u64(sum(VALUES)) + u64(sum(PAID)),
                VERSION + inputs_root + b"\x02" + outputs_root + b"\x02" + LOCKTIME,
            )
        ),
        "type, 4 bytes ‖ input hash ‖ input number, 4 bytes ‖ spent root ‖ sum of the spent outputs, 8 bytes ‖ sum of "
        "the outputs, 8 bytes ‖ version ‖ inputs root ‖ height 02 ‖ outputs root ‖ height 02 ‖ locktime",
    )
    return worked.add("message", sha256d(hashed), "sha256d(hashed): announce this for input 0")


def _bip341_hash(worked: Worked, outpoints: list[bytes], script: bytes, paid: list[bytes]) -> bytes:
    worked.head("The hash of input 0")
    parts = [
        worked.add("prevouts", sha256(*outpoints), "SHA256(outpoint0 ‖ outpoint1)"),
        worked.add("amounts", sha256(*map(u64, VALUES)), "SHA256(values of the spent outputs, 8 bytes each)"),
        worked.add("scripts", sha256(sized(script) * 2), "SHA256(scripts of the spent outputs, each with its length)"),
        worked.add("sequences", sha256(SEQUENCE * 2), "SHA256(sequences)"),
        worked.add("outputs", sha256(*paid), "SHA256(output0 ‖ output1)"),
    ]
    hashed = worked.add(
        "hashed",
        b"\x00\x00" + VERSION + LOCKTIME + b"".join(parts) + b"\x00" + bytes(4),
        "epoch 00 ‖ type 00 ‖ version ‖ locktime ‖ prevouts ‖ amounts ‖ scripts ‖ sequences ‖ outputs ‖ spend "
        "type 00 ‖ input number, 4 bytes",
    )
    return worked.add("message", tagged("TapSighash", hashed), "H_TapSighash(hashed): announce this for input 0")


def _signature(worked: Worked, message: bytes) -> None:
    rules, lotus = SLOW[worked.scheme], worked.scheme == "lotus"
    pairs = sorted((encode(base_mul(secret)), secret) for secret in SECRETS)
    keys = rules.keys([pubkey for pubkey, _ in pairs], [(2, None)])
    pubnonces = [encode(base_mul(k1)) + encode(base_mul(k2)) for k1, k2 in NONCES]
    aggnonce = nonce_agg(pubnonces)
    values = rules.values(keys, aggnonce, message)
    worked.head(
        "The signature",
        f"Signer 0 has the secret nonces {NONCES[0]}, signer 1 {NONCES[1]}; docs/musig2.md has the formulas.".replace(
            "docs/musig2.md", "[musig2.md](musig2.md)"
        ),
    )
    for index, pubnonce in enumerate(pubnonces):
        worked.add(f"pubnonce{index}", pubnonce, "k1·G ‖ k2·G")
    worked.add("aggnonce", aggnonce, "the sums of both halves: R1 ‖ R2")
    noncecoef = "C ‖ R1 ‖ R2 ‖ message" if lotus else "R1 ‖ R2 ‖ x(C) ‖ message"
    worked.add("b", values.b.to_bytes(32), f"H_MuSig/noncecoef({noncecoef}) mod n")
    judged = "y is no square" if lotus else "y is odd"
    negated = f"; {judged}, so every k is negated" if values.negate_nonce else ""
    worked.add("R", encode(values.r), f"R1 + b·R2{negated}")
    challenge = "SHA256(x(R) ‖ C ‖ message)" if lotus else "H_BIP0340/challenge(x(R) ‖ x(C) ‖ message)"
    worked.add("e", values.e.to_bytes(32), f"{challenge} mod n")
    psigs = [
        rules.sign(keys, values, nonces, secret, index)
        for index, (nonces, (_, secret)) in enumerate(zip(NONCES, pairs, strict=True))
    ]
    for index, psig in enumerate(psigs):
        worked.add(f"s{index}", psig.to_bytes(32), f"the partial signature of signer {index}")
    signature = rules.signature(keys, values, psigs)
    total = "s0 + s1" if lotus else "s0 + s1 + e·t (t negated if y(C) is odd)"
    worked.add("signature", signature, f"x(R) ‖ {total} mod n")
    if lotus:
        worked.add("scriptSig", b"\x41" + signature + b"\x61", "push of 65 bytes: signature ‖ type 61")
    else:
        worked.add("witness", b"\x01\x40" + signature, "one element of 64 bytes; no type byte for the default")
    assert 0 < integer(signature[32:]) < N


def page() -> str:
    """The text of docs/worked-transactions.md."""
    parts = [HEAD]
    for name, title in TITLES.items():
        parts += [f"## {title}\n", "\n".join(work(name).steps) + "\n"]
    return "\n".join(parts)


if __name__ == "__main__":
    PAGE.write_text(page())
