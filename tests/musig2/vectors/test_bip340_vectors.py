"""Every case of BIP-340's vector file.

The interface takes messages of 32 bytes, as MuSig2 needs them: the four cases with other lengths (15 to 18) are
verified one floor lower; signing them is not offered.
"""

from typing import Any

import pytest

from musig2 import InvalidArgumentError, bip340, scheme
from musig2.curve import secp
from musig2.curve.memory import take_slot
from tests.musig2.musig2_world import load, seckey

CASES = list(enumerate(load("bip340/schnorr")))
OFF_CURVE = (5, 14)


@pytest.mark.parametrize(("index", "case"), CASES)
def test_signatures_are_judged_as_the_standard_judges_them(index: int, case: dict[str, Any]) -> None:
    msg, signature = bytes.fromhex(case["msg"]), bytes.fromhex(case["signature"])
    xonly = bytes.fromhex(case["xonly"])
    if len(msg) != 32:
        point = secp.xonly_parse(xonly)
        assert point is not None
        assert secp.schnorrsig_verify(signature, msg, point) == case["valid"]
        return
    for prefix in (b"\x02", b"\x03"):
        if index in OFF_CURVE:
            with pytest.raises(InvalidArgumentError, match="pubkey"):
                scheme("bip340").schnorr_verify(prefix + xonly, msg, signature)
        else:
            assert scheme("bip340").schnorr_verify(prefix + xonly, msg, signature) == case["valid"]
        assert scheme("bip340").verify_many([(prefix + xonly, msg, signature)]) == [case["valid"]]


@pytest.mark.parametrize(("index", "case"), [(i, c) for i, c in CASES if c["seckey"] and len(c["msg"]) == 64])
def test_signing_with_given_auxiliary_bytes_agrees(index: int, case: dict[str, Any]) -> None:
    aux = take_slot()
    aux.view[:32] = bytes.fromhex(case["aux"])
    key = seckey(case["seckey"])
    assert key.pubkey[1:].hex() == case["xonly"]
    assert bip340.RULES.seeded_sign(key, bytes.fromhex(case["msg"]), aux).hex() == case["signature"]
