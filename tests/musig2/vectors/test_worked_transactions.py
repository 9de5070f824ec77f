"""docs/worked-transactions.md: the page is what the slow code computes, and the product computes the same."""

from __future__ import annotations

import pytest

from daemon.policy.transactions import TransactionPolicy
from musig2 import SecretKey, Tweak, TweakKind, scheme
from musig2.chain.address import script_pubkey
from musig2.chain.sighash import KeyPathSpend
from musig2.chain.transaction import Transaction, TxOutput
from musig2.protocol.records.requests import ToSign, build_request
from musig2.protocol.review.findings import ReviewStatus
from musig2.protocol.review.review import review
from tests.musig2.worked_transactions import PAGE, SECRETS, VALUES, Worked, page, work

KEY_PATH = (Tweak(TweakKind.TAPROOT),)


@pytest.fixture(scope="module", params=["lotus", "bip340"])
def worked(request: pytest.FixtureRequest) -> Worked:
    return work(request.param)


def spend_of(worked: Worked) -> KeyPathSpend:
    transaction = Transaction.parse(worked.values["transaction"])
    return KeyPathSpend(transaction, [TxOutput(value, worked.values["script"]) for value in VALUES])


def test_the_page_is_up_to_date() -> None:
    assert PAGE.read_text() == page(), "write it anew: python -m tests.musig2.worked_transactions"


def test_keys_tweak_and_script_are_those_of_the_product(worked: Worked) -> None:
    secrets = [SecretKey.from_buffer(bytearray(secret.to_bytes(32))) for secret in SECRETS]
    keyagg = scheme(worked.scheme).key_agg(scheme(worked.scheme).key_sort([key.pubkey for key in secrets]), KEY_PATH)
    assert keyagg.pubkeys == (worked.values["P0"], worked.values["P1"])
    assert (keyagg.internal_pubkey, keyagg.aggpubkey) == (worked.values["Q"], worked.values["C"])
    assert script_pubkey(worked.scheme, keyagg.aggpubkey) == worked.values["script"]


def test_the_hash_is_that_of_the_product(worked: Worked) -> None:
    assert spend_of(worked).sighash(worked.scheme, 0) == worked.values["message"]


def test_nonces_and_signature_hold_for_the_product(worked: Worked) -> None:
    rules, values = scheme(worked.scheme), worked.values
    keyagg = rules.key_agg((values["P0"], values["P1"]), KEY_PATH)
    assert rules.nonce_agg([values["pubnonce0"], values["pubnonce1"]]) == values["aggnonce"]
    session = rules.session(keyagg, values["aggnonce"], values["message"])
    for index in range(2):
        psig, pubnonce, key = (values[f"{name}{index}"] for name in ("s", "pubnonce", "P"))
        assert rules.partial_sig_verify(psig, pubnonce, key, session, index)
    assert rules.partial_sig_agg([values["s0"], values["s1"]], session) == values["signature"]
    assert rules.schnorr_verify(values["C"], values["message"], values["signature"])


def test_a_request_of_it_is_checked_and_joined(worked: Worked) -> None:
    values, spend = worked.values, spend_of(worked)
    request = build_request(
        scheme_name=worked.scheme,
        pubkeys=(values["P0"], values["P1"]),
        to_sign=[ToSign(spend.sighash(worked.scheme, index), KEY_PATH, index) for index in range(2)],
        creator=values["P0"],
        created=1,
        expires=2,
        round_ms=1,
        max_attempts=1,
        salt=bytes(16),
        election=None,
        metadata={
            "transactionHex": values["transaction"].hex(),
            "spentOutputs": tuple({"value": value, "script": values["script"].hex()} for value in VALUES),
        },
    )
    found = review(request)
    assert found.status is ReviewStatus.CHECKED
    TransactionPolicy().check_join(found, values["P1"], require_checked=True)
