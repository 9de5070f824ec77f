"""What an own key may be used for: the one question asked before a join, apart from the signing itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from musig2.chain.sighash import SIGHASH_DEFAULT, SIGHASH_LOTUS_ALL, sighash_bip341, sighash_lotus
from musig2.chain.transaction import Transaction, TxOutput
from musig2.protocol.records.records import Request
from rpc.errors import ApiError


class TransactionPolicy:
    """Refuses what can be seen to be wrong: a message for an input that is not the hash of the transaction shown.

    It judges only what it can recompute: `transactionHex` and `spentOutputs` in the metadata, and items that name their
    input. Everything else it lets pass: whoever approves a join must know what the message is (docs/wallets.md).
    """

    def check_join(self, request: Request, pubkey: bytes) -> None:
        """Raises ApiError `message_mismatch` if an item is not the key-path hash of the input that it names."""
        shown = _shown(request.metadata)
        if shown is None:
            return
        transaction, spent = shown
        for item in request.items:
            if item.input is not None and item.msg != _sighash(request, transaction, spent, item.input):
                raise ApiError(
                    "message_mismatch",
                    f"The message for input {item.input} is not the hash of the transaction that the request shows: "
                    "ask its creator, or decline it.",
                    inputIndex=item.input,
                )


def _shown(metadata: Mapping[str, Any]) -> tuple[Transaction, tuple[TxOutput, ...]] | None:
    """The transaction and what it spends, where the request shows both in a form that can be read."""
    try:
        transaction = Transaction.parse(bytes.fromhex(metadata["transactionHex"]))
        spent = tuple(TxOutput(each["value"], bytes.fromhex(each["script"])) for each in metadata["spentOutputs"])
    except (KeyError, TypeError, ValueError):
        return None  # metadata is open: what is not of this shape says nothing about a transaction
    return (transaction, spent) if len(spent) == len(transaction.inputs) else None


def _sighash(request: Request, transaction: Transaction, spent: Sequence[TxOutput], index: int) -> bytes | None:
    given = request.metadata.get("sighashType")
    lotus = request.scheme == "lotus"
    kind = given if isinstance(given, int) else SIGHASH_LOTUS_ALL if lotus else SIGHASH_DEFAULT
    try:
        return (sighash_lotus if lotus else sighash_bip341)(transaction, index, spent, kind)
    except ValueError:
        return None  # a type that the chain refuses has no hash, so nothing can match it
