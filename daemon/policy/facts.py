"""The values that rules compare: a request as one own key would sign it, decoded."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace

from daemon.policy.returns import ComingBack
from musig2.chain.address import address_of_script, key_scripts
from musig2.protocol.records.records import Request
from musig2.protocol.review.decoded import DecodedTransaction
from musig2.protocol.review.findings import Review, ReviewStatus
from musig2.protocol.review.review import review_of
from musig2.protocol.wire.frames import Signed

# The classes of `review`: a transaction that is signed whole, one that its sighash type leaves partly open, a text,
# something that nobody can see.
CHECKED, OPEN, TEXT, BLIND = REVIEWS = ("checked", "open", "text", "blind")


@dataclass(frozen=True, slots=True)
class Output:
    """An output; `script` is hex, `index` its position."""

    script: str
    address: str | None
    value: int
    index: int = -1

    def pays_to(self, named: Iterable[str]) -> bool:
        """Whether it pays one of these addresses or scripts."""
        return any(each in (self.script, self.address) for each in named)


@dataclass(frozen=True, slots=True)
class Facts:
    """Amounts are satoshis, keys are hex. None is unknown: no condition on it holds.

    `leaving`: what the inputs that the request signs lose, the outputs taken off that come back to its aggregated keys
    or to this key alone, which are `returned`; `outputs` are the others. `transaction`: the digest of one of which the
    request does not sign all inputs; `taken`: its outputs that other requests count as coming back. `reputation`: the
    lowest local one among the other signers. `time_ms`: None while peers say that this clock is wrong.
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
    returned: tuple[Output, ...] = ()
    transaction: bytes | None = None
    taken: frozenset[int] = frozenset()
    reputation: int | None = None
    time_ms: int | None = None

    def amount(self, change: Collection[str] = ()) -> int | None:
        """The amount that leaves if outputs to `change` count as returned; never below 0."""
        if self.leaving is None or self.outputs is None:
            return None
        if not change and not self.taken:
            return max(0, self.leaving)
        named = tuple(change)
        back = sum(out.value for out in self.outputs if out.index not in self.taken and out.pays_to(named))
        elsewhere = sum(out.value for out in self.returned if out.index in self.taken)
        return max(0, self.leaving + elsewhere - back)

    def claim(self, change: Iterable[str] = ()) -> ComingBack | None:
        """What comes back to this request and so to no other; None where no other can sign the same transaction."""
        if self.transaction is None or self.outputs is None:
            return None
        named = tuple(change)
        back = (*self.returned, *(out for out in self.outputs if out.pays_to(named)))
        return ComingBack(self.transaction, frozenset(out.index for out in back) - self.taken)

    def destinations(self, change: Iterable[str] = ()) -> tuple[Output, ...] | None:
        """The outputs that do not come back."""
        named = tuple(change)
        return None if self.outputs is None else tuple(each for each in self.outputs if not each.pays_to(named))

    def shown(self) -> Mapping[str, object]:
        """The values as `explainPolicy` shows them; unknown ones are left out."""
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
    if decoded is None or review.uncovered or review.status is not ReviewStatus.CHECKED:
        return facts
    own = {*key_scripts(request.scheme, key)}
    outputs = _outputs(decoded, request.scheme, network)
    returned = tuple(out for out in outputs if out.index in decoded.returned or decoded.script(out.index) in own)
    shared = len(decoded.signed) < len(decoded.spent)
    return replace(
        facts,
        leaving=decoded.signed_amount - sum(out.value for out in returned),
        fee=decoded.fee,
        fee_rate=decoded.fee_rate,
        outputs=tuple(out for out in outputs if out not in returned),
        returned=returned,
        transaction=decoded.digest if shared else None,
    )


def _outputs(decoded: DecodedTransaction, scheme: str, network: str) -> tuple[Output, ...]:
    return tuple(
        Output(out.script_pubkey.hex(), address_of_script(scheme, out.script_pubkey, network), out.value, index)
        for index, out in enumerate(decoded.transaction.outputs)
    )


def _classes(request: Request, review: Review) -> frozenset[str]:
    if review.status is not ReviewStatus.CHECKED:
        return frozenset({BLIND})
    found = set()
    if any(item.input is None for item in request.items):
        found.add(TEXT)
    if review.transaction is not None:
        found.add(OPEN if review.uncovered else CHECKED)
    return frozenset(found or {BLIND})
