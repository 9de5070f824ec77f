"""A wrong partial signature is found on arrival, and again by the signature that it spoils."""

from typing import Any

import pytest

from musig2 import InvalidContributionError, Tweak, TweakKind, scheme
from tests.musig2.musig2_world import SCHEMES, world
from tests.musig2.slow_musig2 import N

TWEAKS = [(), (Tweak(TweakKind.TAPROOT),)]


@pytest.mark.parametrize("name", SCHEMES)
@pytest.mark.parametrize("tweaks", TWEAKS, ids=["plain", "taproot"])
@pytest.mark.parametrize("cheat", [0, 1, 2])
def test_the_cheating_signer_is_named(name: str, tweaks: tuple[Tweak, ...], cheat: int) -> None:
    made = world(scheme(name), 3, tweaks)
    psigs = made.psigs()
    psigs[cheat] = ((int.from_bytes(psigs[cheat]) + 1) % N).to_bytes(32)
    assert [made.verify(psig, index) for index, psig in enumerate(psigs)] == [i != cheat for i in range(3)]
    with pytest.raises(InvalidContributionError) as nameless:
        made.scheme.partial_sig_agg(psigs, made.session)
    assert (nameless.value.signer, nameless.value.contribution) == (None, "psig")
    with pytest.raises(InvalidContributionError) as blamed:
        made.scheme.partial_sig_agg(psigs, made.session, made.pubnonces)
    assert (blamed.value.signer, blamed.value.contribution) == (cheat, "psig")


@pytest.mark.parametrize("name", SCHEMES)
def test_two_cheats_that_cancel_out_spoil_nothing(name: str) -> None:
    """The sum is right, so the signature is; each of them still fails on arrival."""
    made = world(scheme(name), 3)
    psigs = made.psigs()
    shifted = [
        ((int.from_bytes(psigs[0]) + 1) % N).to_bytes(32),
        ((int.from_bytes(psigs[1]) - 1) % N).to_bytes(32),
        psigs[2],
    ]
    assert [made.verify(psig, index) for index, psig in enumerate(shifted)] == [False, False, True]
    assert made.scheme.partial_sig_agg(shifted, made.session) == made.scheme.partial_sig_agg(psigs, made.session)


@pytest.mark.parametrize("name", SCHEMES)
def test_a_wrong_nonce_with_right_partials_is_reported_without_a_culprit(name: str) -> None:
    """All partials hold under the nonces given, yet the session was made of others: nobody is blamed."""
    made, other = world(scheme(name)), world(scheme(name))
    psigs = made.psigs()
    with pytest.raises(InvalidContributionError):
        other.scheme.partial_sig_agg(psigs, other.session)
    assert made.scheme.partial_sig_agg(psigs, made.session, made.pubnonces)


@pytest.mark.parametrize("name", SCHEMES)
@pytest.mark.parametrize("value", [N, N + 1, 2**256 - 1])
def test_a_partial_out_of_range_is_a_contribution_error_and_not_a_crash(name: str, value: int) -> None:
    made = world(scheme(name))
    psigs = [made.sign(0), value.to_bytes(32)]
    assert not made.verify(psigs[1], 1)
    with pytest.raises(InvalidContributionError) as blamed:
        made.scheme.partial_sig_agg(psigs, made.session)
    assert (blamed.value.signer, blamed.value.contribution) == (1, "psig")


@pytest.mark.parametrize("name", SCHEMES)
def test_a_partial_of_another_signer_session_or_nonce_is_false(name: str) -> None:
    made, other = world(scheme(name)), world(scheme(name))
    psig = made.sign(0)
    assert not made.verify(psig, 1)
    assert not other.verify(psig, 0)
    assert not made.scheme.partial_sig_verify(psig, made.pubnonces[1], made.keys[0].pubkey, made.session)
    assert not made.verify((N - int.from_bytes(psig)).to_bytes(32), 0)


def test_the_tweak_term_belongs_to_signer_zero_alone() -> None:
    """Lotus: without e*t signer 0 is wrong, with it anybody else is."""
    made = world(scheme("lotus"), 2, (Tweak(TweakKind.TAPROOT),))
    values: Any = made.session.values
    psigs = made.psigs()
    part = values._tweak_part(0)
    assert part
    assert values._tweak_part(1) == 0
    assert not made.verify(((int.from_bytes(psigs[0]) - part) % N).to_bytes(32), 0)
    assert not made.verify(((int.from_bytes(psigs[1]) + part) % N).to_bytes(32), 1)
    swapped = [
        ((int.from_bytes(psigs[0]) - part) % N).to_bytes(32),
        ((int.from_bytes(psigs[1]) + part) % N).to_bytes(32),
    ]
    assert made.scheme.partial_sig_agg(swapped, made.session)
