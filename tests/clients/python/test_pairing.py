"""Pairing links: what is written is read again, and what is no link is refused with a sentence that says why."""

from __future__ import annotations

import pytest

from musigd_client.pairing import LONGEST, NoPairing, Pairing, pairing_link, read_pairing
from rpc.methods import samples
from rpc.methods.contacts import LINK

ADDRESS, KEY = samples.ADDRESS_B, samples.KEY_B
OTHER_PEER = ADDRESS.replace(samples.PEER_B, samples.PEER_A)


def test_a_written_link_is_read_back() -> None:
    for nickname in (None, "Bob", "B\u00f6b & Co = 100 % + #1"):
        for network in (None, "main", "my-own-1"):
            pairing = Pairing(
                multiaddrs=(ADDRESS, ADDRESS), public_key=KEY, scheme="lotus", nickname=nickname, network=network
            )
            assert read_pairing(pairing_link(pairing)) == pairing
    assert pairing_link(read_pairing(LINK)) == LINK


def test_an_unknown_member_is_ignored() -> None:
    assert read_pairing(f"{LINK}&colour=red") == read_pairing(LINK)


@pytest.mark.parametrize(
    ("link", "said"),
    [
        ("https://example.org/pair?key=1", "begins with musigd://pair?"),
        ("musigd://pair?", "one key, and this one has none"),
        ("musigd://pair?key", "name=value"),
        (f"musigd://pair?key={KEY}&scheme=lotus", "1 to 4 addr"),
        (f"{LINK}&addr={'&addr='.join([ADDRESS] * 4)}", "1 to 4 addr"),
        (f"{LINK}&addr={OTHER_PEER}", "the same peer id"),
        (LINK.replace(f"/p2p/{samples.PEER_B}", ""), "ends in /p2p/"),
        (f"{LINK}&key={KEY}", "one key, and this one has 2"),
        (LINK.replace("&scheme=lotus", ""), "one scheme, and this one has none"),
        (LINK.replace("=lotus", "=ecdsa"), "is lotus or bip340"),
        (LINK.replace(KEY, KEY.upper()), "lower-case hex"),
        (LINK.replace("=Bob", "=B%0Aob"), "is one line"),
        (LINK.replace("=Bob", "=%E2%80%AEboB"), "is one line"),
        (LINK.replace("=Bob", f"={'b' * 101}"), "at most 100 characters"),
        (LINK.replace("=Bob", "=%FF"), "name=value"),
        (f"javascript:{LINK}", "begins with musigd://pair?"),
        (LINK.replace("musigd", "MUSIGD"), "begins with musigd://pair?"),
        (LINK.replace("musigd", "musi\u0261d"), "begins with musigd://pair?"),
        (LINK.replace(samples.PEER_B, samples.PEER_B.replace("o", "\u043e", 1)), "ends in /p2p/"),
        (LINK.replace(samples.PEER_B, f"{samples.PEER_B}%0A"), "ends in /p2p/"),
        (LINK.replace("/tcp/", "/tcp/%E2%80%AE"), "ends in /p2p/"),
        (LINK.replace("/tcp/", "/tcp/%1B[31m"), "ends in /p2p/"),
        (LINK.replace("/tcp/", "/t cp/"), "ends in /p2p/"),
        (f"{LINK}&network=ma%0Ain", "network of a pairing link is a name"),
        (f"{LINK}&network=javascript:alert(1)", "network of a pairing link is a name"),
        (f"{LINK}&network=main&network=test", "one network, and this one has 2"),
        (LINK + "&x=" + "x" * LONGEST, "at most 2000 characters"),
    ],
)
def test_a_malformed_link_is_refused_with_the_reason(link: str, said: str) -> None:
    with pytest.raises(NoPairing, match=said):
        read_pairing(link)


def test_a_link_that_could_not_be_read_is_not_written() -> None:
    with pytest.raises(NoPairing):
        pairing_link(Pairing(multiaddrs=(), public_key=KEY, scheme="lotus"))
