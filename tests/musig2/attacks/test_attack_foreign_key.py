"""A key outside the list neither signs nor is judged as a signer."""

from functools import partial

import pytest

from musig2 import NonceConsumed, SecNonce, SecretKey, scheme
from tests.musig2.musig2_world import SCHEMES, assert_names, world


@pytest.mark.parametrize("name", SCHEMES)
def test_no_nonce_for_a_key_outside_the_list(name: str) -> None:
    made, stranger = world(scheme(name)), SecretKey.generate()
    arguments = (stranger, stranger.pubkey, made.keyagg, made.msg)
    assert_names("pubkey", lambda: made.scheme.nonce_gen(*arguments), "must be in the list")


@pytest.mark.parametrize("name", SCHEMES)
def test_no_nonce_under_the_name_of_another_key(name: str) -> None:
    made = world(scheme(name))
    arguments = (made.keys[0], made.keys[1].pubkey, made.keyagg, made.msg)
    assert_names("pubkey", lambda: made.scheme.nonce_gen(*arguments), "is not the public key of seckey")


@pytest.mark.parametrize("name", SCHEMES)
def test_no_signature_of_a_key_outside_the_list(name: str) -> None:
    """Even with a nonce bound to the right aggregate and message, made by force."""
    made, stranger = world(scheme(name)), SecretKey.generate()
    theirs = world(scheme(name), keys=[stranger])
    slot = theirs.secnonces[0].consume()
    forced = SecNonce(
        slot,
        scheme=name,
        pubkey=stranger.pubkey,
        aggpubkey=made.keyagg.aggpubkey,
        msg=made.msg,
        pubnonce=theirs.pubnonces[0],
    )
    assert_names("pubkey", lambda: made.scheme.sign(forced, stranger, made.session), "must be in the list")
    assert forced.consumed
    assert not any(slot.view)


@pytest.mark.parametrize("name", SCHEMES)
def test_a_position_that_holds_another_key_is_refused(name: str) -> None:
    made = world(scheme(name), 3)
    arguments = (made.secnonces[0], made.keys[0], made.session, 2)
    assert_names("pubkey", lambda: made.scheme.sign(*arguments), "position 2")
    with pytest.raises(NonceConsumed):
        made.sign(0)
    for index in (-1, 3):
        verify = partial(
            made.scheme.partial_sig_verify, bytes(32), made.pubnonces[1], made.keys[1].pubkey, made.session
        )
        assert_names("signer_index", partial(verify, index), "between 0 and 2")


@pytest.mark.parametrize("name", SCHEMES)
def test_no_verdict_on_a_key_outside_the_list(name: str) -> None:
    made = world(scheme(name))
    psig = made.sign(0)
    stranger = SecretKey.generate().pubkey
    arguments = (psig, made.pubnonces[0], stranger, made.session)
    assert_names("pubkey", lambda: made.scheme.partial_sig_verify(*arguments), "must be in the list")
