"""Where a request does not meet the criteria that an own key advertises. A hint for the owner: nothing is refused."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TypeAlias

from musig2.protocol.records.records import Advertisement, Request
from rpc import answers

# The advertisement of an own key that is in force; None where it has none. Called on any thread.
CriteriaOf: TypeAlias = Callable[[bytes], Advertisement | None]


def outside_criteria(
    request: Request, keys: Iterable[bytes], criteria_of: CriteriaOf
) -> list[answers.OutsideCriterion]:
    """For each of these own keys, the criteria that the request does not meet or leaves open.

    Compares what the creator states, `transactionType` and `amount`, as `findAvailableSigners` does.
    """
    found: list[answers.OutsideCriterion] = []
    for key in keys:
        advertised = criteria_of(key)
        if advertised is not None:
            found += [
                {"publicKey": key.hex(), "criterion": name, "message": sentence}
                for name, sentence in _outside(request, advertised)
            ]
    return found


def _outside(request: Request, advertised: Advertisement) -> Iterator[tuple[str, str]]:
    kind, amount = request.metadata.get("transactionType"), request.metadata.get("amount")
    wanted = ", ".join(advertised.types)
    if not isinstance(kind, str):
        yield "transactionTypes", f"states no transactionType; advertised: {wanted}"
    elif kind not in advertised.types:
        yield "transactionTypes", f"its transactionType is another one; advertised: {wanted}"
    if advertised.min is None and advertised.max is None:
        return
    if type(amount) is not int:
        yield "minAmount" if advertised.min is not None else "maxAmount", "states no amount"
    elif advertised.min is not None and amount < advertised.min:
        yield "minAmount", f"{amount} is below {advertised.min}"
    elif advertised.max is not None and amount > advertised.max:
        yield "maxAmount", f"{amount} is above {advertised.max}"
