"""The two calculations, held to the vectors of BIP-86 and to what musig2 itself makes."""

from __future__ import annotations

import pytest

from musig2 import SecretKey, scheme
from rpc.methods import samples
from tests.rpc.rpc_world import MakeWorld, World

NOT_A_POINT = "02" + "00" * 31 + "05"


@pytest.mark.parametrize("name", ["lotus", "bip340"])
async def test_order_of_the_keys_does_not_matter(world: World, name: str) -> None:
    keys = [samples.KEY_A, samples.KEY_B, samples.KEY_C]
    params = {"scheme": name, "tweaks": [{"taprootMerkleRoot": None}]}
    one = await world.result("aggregateKeys", {**params, "publicKeys": keys})
    other = await world.result("aggregateKeys", {**params, "publicKeys": keys[::-1]})
    assert one == other
    assert one["publicKeys"] == sorted(keys)
    assert one["aggregatedPublicKey"] != one["internalPublicKey"]
    assert one["xOnlyPublicKey"] == one["aggregatedPublicKey"][2:]


async def test_example_in_the_docs_is_what_comes_out(world: World) -> None:
    found = await world.result(
        "aggregateKeys",
        {"publicKeys": [samples.KEY_A, samples.KEY_B], "scheme": "lotus", "tweaks": [{"taprootMerkleRoot": None}]},
    )
    assert found == samples.AGGREGATED


async def test_network_picks_the_prefix_of_the_address(world: World) -> None:
    params = {"publicKeys": [samples.KEY_A, samples.KEY_B], "scheme": "bip340"}
    prefixes = {"main": "bc1p", "test": "tb1p", "regtest": "bcrt1p"}
    for network, prefix in prefixes.items():
        found = await world.result("aggregateKeys", {**params, "network": network})
        assert found["address"].startswith(prefix)
    assert (await world.result("aggregateKeys", params))["address"].startswith("bc1p"), "the daemon's own is main"


async def test_address_for_a_network_that_there_is_not_is_refused_with_the_list_of_networks(
    world: World, make_world: MakeWorld
) -> None:
    params = {"publicKeys": [samples.KEY_A, samples.KEY_B], "scheme": "bip340", "network": "nonsense"}
    reply = await world.call("aggregateKeys", params)
    (error,) = reply["error"]["data"]["errors"]
    assert error == {"path": "network", "message": "must be one of main, test, regtest"}
    private = await make_world(network="nonsense")
    assert (await private.result("aggregateKeys", params))["address"].startswith("bcrt1p")


async def test_keys_and_tweaks_that_cannot_be_combined_are_refused_with_the_reason(world: World) -> None:
    reply = await world.call("aggregateKeys", {"publicKeys": [samples.KEY_A, NOT_A_POINT], "scheme": "lotus"})
    assert reply["error"]["data"]["reason"] == "invalid_key"
    (error,) = reply["error"]["data"]["errors"]
    assert error == {"path": "publicKeys[1]", "message": "is not a point of the curve; check the key"}
    for tweaks, path in (
        ([{"tweak": "01" * 32, "xOnly": False}, {"tweak": "ff" * 32, "xOnly": False}], "tweaks[1].tweak"),
        ([{"taprootMerkleRoot": None}] * 2, "tweaks"),
    ):
        params = {"publicKeys": [samples.KEY_A, samples.KEY_B], "scheme": "bip340", "tweaks": tweaks}
        error = (await world.call("aggregateKeys", params))["error"]["data"]
        assert (error["reason"], error["errors"][0]["path"]) == ("invalid_key", path)
    lotus = {
        "publicKeys": [samples.KEY_A, samples.KEY_B],
        "scheme": "lotus",
        "tweaks": [{"tweak": "01" * 32, "xOnly": True}],
    }
    assert await world.reason("aggregateKeys", lotus) == "invalid_key"


NEGATED_A = "03" + samples.KEY_A[2:]
UNSPENDABLE = {
    "one key": [samples.KEY_A],
    "no key": [],
    "a key twice": [samples.KEY_A, samples.KEY_B, samples.KEY_A],
}


@pytest.mark.parametrize("name", ["lotus", "bip340"])
@pytest.mark.parametrize("keys", UNSPENDABLE.values(), ids=UNSPENDABLE)
async def test_an_address_that_no_request_could_spend_is_not_given(world: World, name: str, keys: list[str]) -> None:
    reply = await world.call("aggregateKeys", {"publicKeys": keys, "scheme": name})
    assert reply["error"]["code"] == -32602
    assert reply["error"]["data"]["errors"][0]["path"] == "publicKeys"
    asked = {"requiredPublicKeys": keys, "publicKey": samples.KEY_A, "message": samples.MESSAGE}
    assert await world.reason("announceSigningRequest", asked) == "invalid_params"


async def test_a_key_and_its_negation_are_one_key_under_bip340(world: World) -> None:
    params = {"publicKeys": [samples.KEY_A, NEGATED_A, samples.KEY_B]}
    reply = await world.call("aggregateKeys", {**params, "scheme": "bip340"})
    assert reply["error"]["data"]["reason"] == "invalid_key"
    assert "differ in x" in reply["error"]["message"]
    assert (await world.result("aggregateKeys", {**params, "scheme": "lotus"}))["address"]


async def test_a_key_known_for_the_other_scheme_is_refused(make_world: MakeWorld) -> None:
    schemes = {bytes.fromhex(samples.KEY_A): ("bip340",), bytes.fromhex(samples.KEY_B): ("bip340", "lotus")}
    world = await make_world(schemes=schemes)
    params = {"publicKeys": [samples.KEY_B, samples.KEY_A, samples.KEY_C]}
    reply = await world.call("aggregateKeys", {**params, "scheme": "lotus"})
    data = reply["error"]["data"]
    assert (data["reason"], data["publicKey"]) == ("scheme_mismatch", samples.KEY_A)
    assert data["errors"][0]["path"] == "publicKeys[1]"
    assert (await world.result("aggregateKeys", {**params, "scheme": "bip340"}))["address"]


@pytest.mark.parametrize("name", ["lotus", "bip340"])
async def test_signature_holds_only_for_its_message_key_and_scheme(world: World, name: str) -> None:
    seckey = SecretKey.generate()
    signature = scheme(name).schnorr_sign(seckey, bytes.fromhex(samples.MESSAGE)).hex()
    params = {"publicKey": seckey.pubkey.hex(), "message": samples.MESSAGE, "signature": signature, "scheme": name}
    assert await world.result("verifySignature", params) == {"valid": True}
    other = "bip340" if name == "lotus" else "lotus"
    for change in ({"message": "00" * 32}, {"publicKey": samples.KEY_A}, {"scheme": other}, {"signature": "ff" * 64}):
        assert await world.result("verifySignature", {**params, **change}) == {"valid": False}
    assert await world.reason("verifySignature", {**params, "publicKey": NOT_A_POINT}) == "invalid_key"
