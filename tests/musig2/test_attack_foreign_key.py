"""Who is not in the list of keys neither signs nor is judged as a signer."""

import pytest
from musig2_world import SCHEMES, names, world

from musig2 import InvalidArgumentError, NonceConsumed, SecNonce, SecretKey, scheme


@pytest.mark.parametrize("name", SCHEMES)
def test_no_nonce_for_a_key_outside_the_list(name: str) -> None:
    made, stranger = world(scheme(name)), SecretKey.generate()
    with pytest.raises(InvalidArgumentError, match="must be in the list") as refused:
        made.scheme.nonce_gen(stranger, stranger.pubkey, made.keyagg, made.msg)
    assert refused.value.argument == "pubkey"


@pytest.mark.parametrize("name", SCHEMES)
def test_no_nonce_under_the_name_of_another_key(name: str) -> None:
    made = world(scheme(name))
    with pytest.raises(InvalidArgumentError, match="is not the public key of seckey"):
        made.scheme.nonce_gen(made.keys[0], made.keys[1].pubkey, made.keyagg, made.msg)


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
    with pytest.raises(InvalidArgumentError, match="must be in the list"):
        made.scheme.sign(forced, stranger, made.session)
    assert forced.consumed
    assert not any(slot.view)


@pytest.mark.parametrize("name", SCHEMES)
def test_a_position_that_holds_another_key_is_refused(name: str) -> None:
    made = world(scheme(name), 3)
    with pytest.raises(InvalidArgumentError, match="position 2") as refused:
        made.scheme.sign(made.secnonces[0], made.keys[0], made.session, 2)
    assert refused.value.argument == "pubkey"
    with pytest.raises(NonceConsumed):
        made.sign(0)
    for index in (-1, 3):
        arguments = (bytes(32), made.pubnonces[1], made.keys[1].pubkey, made.session, index)
        names("signer_index", lambda arguments=arguments: made.scheme.partial_sig_verify(*arguments), "between 0 and 2")


@pytest.mark.parametrize("name", SCHEMES)
def test_no_verdict_on_a_key_outside_the_list(name: str) -> None:
    made = world(scheme(name))
    psig = made.sign(0)
    stranger = SecretKey.generate().pubkey
    with pytest.raises(InvalidArgumentError, match="must be in the list"):
        made.scheme.partial_sig_verify(psig, made.pubnonces[0], stranger, made.session)
