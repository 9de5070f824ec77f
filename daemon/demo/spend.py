"""The transaction that the demo signs: a key-path spend of outputs paid to the aggregated Taproot key.

The outputs that it spends exist nowhere but here; everything else is as on the chain: the script of the aggregated key,
the hash that its key path signs, and the place where the signature goes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace

from musig2.chain.sighash import SIGHASH_LOTUS_ALL, KeyPathSpend
from musig2.chain.transaction import Transaction, TxInput, TxOutput

COIN_SATS = {"lotus": 1_000_000, "bip340": 100_000_000}
UNIT = {"lotus": "XPI", "bip340": "BTC"}
FEE_SATS = 1_000


@dataclass(frozen=True, slots=True)
class Spend:
    """An unsigned key-path spend with the outputs it spends, and one 32-byte message per input."""

    scheme: str
    transaction: Transaction
    spent: tuple[TxOutput, ...]

    @property
    def messages(self) -> tuple[bytes, ...]:
        """What each input signs: SIGHASH_LOTUS with type 0x61, or BIP-341's key-path hash with the default type."""
        spend = KeyPathSpend(self.transaction, self.spent)
        return tuple(spend.sighash(self.scheme, index) for index in range(len(self.spent)))

    @property
    def amount_sats(self) -> int:
        """The sum of what is spent."""
        return sum(output.value for output in self.spent)

    def signed(self, signatures: Sequence[bytes]) -> Transaction:
        """The transaction as it would be broadcast."""
        pairs = zip(self.transaction.inputs, signatures, strict=True)
        return replace(self.transaction, inputs=tuple(self._with(each, signature) for each, signature in pairs))

    def _with(self, each: TxInput, signature: bytes) -> TxInput:
        if self.scheme == "lotus":
            element = signature + bytes((SIGHASH_LOTUS_ALL,))
            return replace(each, script_sig=bytes((len(element),)) + element)
        return replace(each, witness=(signature,))


def spend_from(scheme: str, script_pubkey: bytes, inputs: int) -> Spend:
    """Spend `inputs` outputs of one coin each, all paid to `script_pubkey`, back to it, less a fee."""
    value = COIN_SATS[scheme]
    funding = hashlib.sha256(b"musigd demo" + script_pubkey).digest()
    transaction = Transaction(
        version=2,
        inputs=tuple(TxInput(funding, vout) for vout in range(inputs)),
        outputs=(TxOutput(inputs * value - FEE_SATS, script_pubkey),),
    )
    return Spend(scheme, transaction, tuple(TxOutput(value, script_pubkey) for _ in range(inputs)))
