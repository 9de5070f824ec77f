"""Requests that show a transaction or a text, without the curve: the review believes the aggregate keys of a record."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from musig2.chain.transaction import Transaction, TxOutput
from musig2.protocol.records.records import Item, Open, Request
from musig2.protocol.review.review import review

KEY = b"\x02" + bytes(31) + b"\x01"


def shown(transaction: Transaction, spent: Sequence[TxOutput], **more: Open) -> dict[str, Open]:
    outputs: tuple[Open, ...] = tuple({"value": out.value, "script": out.script_pubkey.hex()} for out in spent)
    return {"transactionHex": transaction.serialize().hex(), "spentOutputs": outputs, **more}


def request(scheme: str, items: Sequence[Item], metadata: Mapping[str, Open]) -> Request:
    return Request(
        scheme=scheme,
        keys=(KEY, KEY),
        order=(0, 1),
        items=tuple(items),
        creator=KEY,
        created=1,
        expires=2,
        round_ms=1,
        max_attempts=1,
        salt=bytes(16),
        election=None,
        metadata=metadata,
    )


def doubts(asked: Request) -> list[tuple[str, str] | None]:
    """Per item: None where it is checked, else the code of the doubt and the member it is about."""
    return [
        None if item.finding is None else (item.finding.doubt.value, item.finding.path) for item in review(asked).items
    ]


def doubt(asked: Request) -> Any:
    (only,) = doubts(asked)
    return only
