"""The one question before a join: does the message belong to the transaction that the request shows?"""

from __future__ import annotations

import dataclasses

import pytest

from daemon.demo.spend import Spend, spend_from
from daemon.policy import TransactionPolicy
from musig2.protocol.records.records import Item, Request
from rpc.errors import ApiError

KEY = b"\x02" + bytes(31) + b"\x01"
POLICY = TransactionPolicy()


def request_for(spend: Spend, *, messages: tuple[bytes, ...] | None = None, **metadata: object) -> Request:
    shown = {
        "transactionHex": spend.transaction.serialize().hex(),
        "spentOutputs": tuple({"value": out.value, "script": out.script_pubkey.hex()} for out in spend.spent),
    }
    items = tuple(Item(msg, (), KEY, index) for index, msg in enumerate(messages or spend.messages))
    return Request(
        scheme=spend.scheme,
        keys=(KEY, KEY),
        order=(0, 1),
        items=items,
        creator=KEY,
        created=1,
        expires=2,
        round_ms=1,
        max_attempts=1,
        salt=bytes(16),
        election=None,
        metadata={**shown, **metadata},  # type: ignore[dict-item]  # tests hand in wrong values too
    )


@pytest.fixture(params=["lotus", "bip340"])
def spend(request: pytest.FixtureRequest) -> Spend:
    return spend_from(request.param, b"\x51\x20" + bytes(32), 2)


def verdict(request: Request) -> str | None:
    try:
        POLICY.check_join(request, KEY)
    except ApiError as error:
        return error.reason
    return None


def test_the_hash_of_the_shown_transaction_is_signed(spend: Spend) -> None:
    assert verdict(request_for(spend)) is None


def test_another_message_beside_a_shown_transaction_is_refused(spend: Spend) -> None:
    assert verdict(request_for(spend, messages=(spend.messages[0], bytes(32)))) == "message_mismatch"


def test_the_message_of_another_input_is_refused(spend: Spend) -> None:
    assert verdict(request_for(spend, messages=spend.messages[::-1])) == "message_mismatch"


def test_a_sighash_type_that_the_chain_refuses_matches_nothing(spend: Spend) -> None:
    assert verdict(request_for(spend, sighashType=0x1C)) == "message_mismatch"


@pytest.mark.parametrize(
    "metadata",
    [
        {"transactionHex": "00"},
        {"transactionHex": "no hex"},
        {"transactionHex": None},
        {"spentOutputs": ()},
        {"spentOutputs": None},
        {"spentOutputs": ({"value": 1},)},
        {"spentOutputs": 7},
    ],
)
def test_what_cannot_be_recomputed_is_not_judged(spend: Spend, metadata: dict[str, object]) -> None:
    assert verdict(request_for(spend, messages=(bytes(32),), **metadata)) is None


def test_an_item_that_names_no_input_is_not_judged(spend: Spend) -> None:
    request = request_for(spend, messages=(bytes(32),))
    silent = dataclasses.replace(request, items=(dataclasses.replace(request.items[0], input=None),))

    assert verdict(silent) is None
