"""Makes requests that pay from the aggregated Taproot key of their signers."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

from daemon.demo.spend import spend_from
from musig2 import Tweak, TweakKind, scheme
from musig2.chain.address import script_pubkey
from musig2.chain.sighash import KeyPathSpend
from musig2.chain.transaction import Transaction, TxInput, TxOutput

KEY_PATH = [{"taprootMerkleRoot": None}]
ELSEWHERE = b"\x62\x51\x21\x02" + bytes(31) + b"\x05"


def paying(name: str, keys: Sequence[bytes], amount: int, fee: int = 500) -> dict[str, Any]:
    """Params of a request that costs this amount, fee included; the rest of one coin comes back."""
    agg = scheme(name).key_agg(tuple(sorted(keys)), (Tweak(TweakKind.TAPROOT),)).aggpubkey
    script = script_pubkey(name, agg)
    spent = spend_from(name, script, 1).spent
    outputs = (TxOutput(amount - fee, ELSEWHERE), TxOutput(spent[0].value - amount, script))
    transaction = Transaction(2, (TxInput(os.urandom(32), 0),), outputs)
    return {
        "message": KeyPathSpend(transaction, spent).sighash(name, 0).hex(),
        "tweaks": KEY_PATH,
        "inputIndex": 0,
        "metadata": {
            "transactionHex": transaction.serialize().hex(),
            "spentOutputs": [{"value": out.value, "script": out.script_pubkey.hex()} for out in spent],
        },
    }
