"""The review of a request as JSON: verdict, and what its transaction does. Decoded once per request, not per view."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, TypeAlias

from daemon.signing.store.criteria import CriteriaOf
from musig2.chain.address import address_of_script, key_scripts
from musig2.protocol.records.records import Request
from musig2.protocol.review.decoded import DecodedTransaction
from musig2.protocol.review.findings import ReviewStatus
from musig2.protocol.review.remembered import Remembered
from musig2.protocol.review.review import review_of
from musig2.protocol.wire.frames import Signed
from rpc import answers

KeysOf: TypeAlias = Callable[[str], tuple[bytes, ...]]  # own keys of a scheme; called on any thread


@dataclass(frozen=True, slots=True)
class Showing:
    """What views of requests need beside rows. `network` picks the prefix of addresses."""

    criteria_of: CriteriaOf
    keys_of: KeysOf
    network: str


def review_json(signed: Signed[Request], showing: Showing, keys: frozenset[bytes] | None) -> answers.Review:
    """`keys`: the own keys that the caller may know of, None for all."""
    found = review_of(signed)
    told: answers.Review = {"status": found.status.value}
    finding = found.first_finding
    if finding is not None and found.status is not ReviewStatus.CHECKED:
        told["reason"], told["message"] = finding.doubt.value, finding.sentence
    if found.uncovered:
        told["uncovered"] = list(found.uncovered)
    if found.text is not None:
        told["text"], told["textTag"] = found.text.text, found.text.tag
    if found.transaction is not None:
        own = showing.keys_of(signed.record.scheme)
        told["transaction"] = _returning(
            _transaction_json(signed, showing.network),
            _scripts(signed.record.scheme, own if keys is None else tuple(key for key in own if key in keys)),
        )
    return told


_shown: Final[Remembered[answers.ReviewedTransaction]] = Remembered()


def _transaction_json(signed: Signed[Request], network: str) -> answers.ReviewedTransaction:
    """Shared by all views: never changed."""
    return _shown.get((signed.id, network), len(signed.envelope), lambda: _made_transaction_json(signed, network))


def _made_transaction_json(signed: Signed[Request], network: str) -> answers.ReviewedTransaction:
    decoded = review_of(signed).transaction
    assert decoded is not None
    scheme, transaction = signed.record.scheme, decoded.transaction
    told: answers.ReviewedTransaction = {
        "version": transaction.version,
        "lockTime": transaction.locktime,
        "inputs": [_input(decoded, index, scheme, network) for index in range(len(transaction.inputs))],
        "outputs": [_output(decoded, index, scheme, network) for index in range(len(transaction.outputs))],
        "inputAmount": decoded.input_amount,
        "outputAmount": decoded.output_amount,
        "size": decoded.size,
    }
    if decoded.fee is not None and decoded.fee_rate is not None:
        told["fee"], told["feeRate"] = decoded.fee, decoded.fee_rate
    return told


def _input(decoded: DecodedTransaction, index: int, scheme: str, network: str) -> answers.ReviewedInput:
    spending, spent = decoded.transaction.inputs[index], decoded.spent[index]
    told: answers.ReviewedInput = {
        "txid": spending.txid[::-1].hex(),
        "vout": spending.vout,
        "value": spent.value,
        "script": spent.script_pubkey.hex(),
        "sequence": spending.sequence,
        "signed": index in decoded.signed,
    }
    if (address := address_of_script(scheme, spent.script_pubkey, network)) is not None:
        told["address"] = address
    return told


def _output(decoded: DecodedTransaction, index: int, scheme: str, network: str) -> answers.ReviewedOutput:
    output = decoded.transaction.outputs[index]
    told: answers.ReviewedOutput = {"value": output.value, "script": output.script_pubkey.hex()}
    if (address := address_of_script(scheme, output.script_pubkey, network)) is not None:
        told["address"] = address
    if index in decoded.returned:
        told["returns"] = "aggregate"
    return told


@lru_cache(maxsize=16)
def _scripts(scheme: str, keys: tuple[bytes, ...]) -> Mapping[str, str]:
    """From the scripts that one of these keys alone spends to that key, both as hex."""
    return {script.hex(): key.hex() for key in keys for script in key_scripts(scheme, key)}


def _returning(told: answers.ReviewedTransaction, own: Mapping[str, str]) -> answers.ReviewedTransaction:
    """The same, with the outputs that pay to an own key alone marked."""
    if not any(output["script"] in own and "returns" not in output for output in told["outputs"]):
        return told
    outputs: list[answers.ReviewedOutput] = [
        {**output, "returns": "key", "publicKey": own[output["script"]]}
        if output["script"] in own and "returns" not in output
        else output
        for output in told["outputs"]
    ]
    return {**told, "outputs": outputs}
