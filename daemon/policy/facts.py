"""The values that rules compare: a request as one own key would sign it, decoded."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from musig2.chain.address import address_of_script, key_scripts
from musig2.protocol.records.records import Request
from musig2.protocol.review.review import review_of
from musig2.protocol.review.verdicts import Review, Verdict
from musig2.protocol.wire.frames import Signed

# The classes of what is signed: a transaction that nothing can change any more, one that a sighash type leaves open,
# a text, something that nobody can see.
CHECKED, OPEN, TEXT, BLIND = REVIEWS = ("checked", "open", "text", "blind")


@dataclass(frozen=True, slots=True)
class Output:
    """An output that does not come back by itself; `script` is hex."""

    script: str
    address: str | None
    value: int

    def pays_to(self, named: Iterable[str]) -> bool:
        """Whether one of these addresses or scripts is its."""
        return any(each in (self.script, self.address) for each in named)


@dataclass(frozen=True, slots=True)
class Facts:
    """Amounts are satoshis, keys are hex. None is unknown: no condition on it holds.

    `leaving`: what the inputs that the request signs lose, the outputs taken off that come back to its aggregated keys
    or to this key alone. `reputation`: the lowest local one among the other signers. `time_ms`: None while peers say
    that this clock is wrong.
    """

    key: str
    creator: str
    cosigners: tuple[str, ...]
    transaction_type: str | None
    review: frozenset[str]
    leaving: int | None = None
    fee: int | None = None
    fee_rate: int | None = None
    outputs: tuple[Output, ...] | None = None
    reputation: int | None = None
    time_ms: int | None = None

    def amount(self, change: Iterable[str] = ()) -> int | None:
        """The amount that leaves if outputs to `change` count as returned; never below 0."""
        if self.leaving is None or self.outputs is None:
            return None
        named = tuple(change)
        back = sum(output.value for output in self.outputs if output.pays_to(named))
        return max(0, self.leaving - back)

    def destinations(self, change: Iterable[str] = ()) -> tuple[Output, ...] | None:
        """The outputs that go elsewhere."""
        named = tuple(change)
        return None if self.outputs is None else tuple(each for each in self.outputs if not each.pays_to(named))

    def shown(self) -> Mapping[str, object]:
        """The values as `explainPolicy` tells them; unknown ones are left out."""
        told: dict[str, object] = {
            "creator": self.creator,
            "cosigners": list(self.cosigners),
            "transactionType": self.transaction_type,
            "review": sorted(self.review),
            "amount": self.amount(),
            "fee": self.fee,
            "feeRate": self.fee_rate,
            "destinations": None if self.outputs is None else [each.address or each.script for each in self.outputs],
            "reputation": self.reputation,
        }
        return {name: value for name, value in told.items() if value is not None}


@lru_cache(maxsize=256)
def facts_of(signed: Signed[Request], key: bytes, network: str) -> Facts:
    """The facts that follow from the request alone; reputation and time are added later."""
    request, review = signed.record, review_of(signed)
    kind = request.metadata.get("transactionType")
    facts = Facts(
        key=key.hex(),
        creator=request.creator.hex(),
        cosigners=tuple(other.hex() for other in request.keys if other != key),
        transaction_type=kind if isinstance(kind, str) else None,
        review=_classes(request, review),
    )
    decoded = review.transaction
    if decoded is None or review.uncovered or review.verdict is not Verdict.CHECKED:
        return facts
    own = {*key_scripts(request.scheme, key)}
    elsewhere = [
        output
        for index, output in enumerate(decoded.transaction.outputs)
        if index not in decoded.returned and output.script_pubkey not in own
    ]
    came_back = decoded.output_amount - sum(output.value for output in elsewhere)
    return Facts(
        key=facts.key,
        creator=facts.creator,
        cosigners=facts.cosigners,
        transaction_type=facts.transaction_type,
        review=facts.review,
        leaving=decoded.signed_amount - came_back,
        fee=decoded.fee,
        fee_rate=decoded.fee_rate,
        outputs=tuple(
            Output(
                output.script_pubkey.hex(),
                address_of_script(request.scheme, output.script_pubkey, network),
                output.value,
            )
            for output in elsewhere
        ),
    )


def _classes(request: Request, review: Review) -> frozenset[str]:
    if review.verdict is not Verdict.CHECKED:
        return frozenset({BLIND})
    found = set()
    if any(item.input is None for item in request.items):
        found.add(TEXT)
    if review.transaction is not None:
        found.add(OPEN if review.uncovered else CHECKED)
    return frozenset(found or {BLIND})
