"""Pairing links: what is written is read again, and what is no link is refused with a sentence that says why."""

from __future__ import annotations

import pytest

from musigd_client.pairing import INCOMPLETE, LONGEST, NoPairing, Pairing, pairing_link, read_pairing
from rpc.methods import samples
from rpc.methods.contacts import LINK as WHOLE

ADDRESS, KEY = samples.ADDRESS_B, samples.KEY_B
LINK = f"musigd://pair?addr={ADDRESS}&key={KEY}&scheme=lotus&name=Bob"  # as daemons made it before links had a sum
OTHER_PEER = ADDRESS.replace(samples.PEER_B, samples.PEER_A)


def test_a_written_link_is_read_back() -> None:
    for nickname in (None, "Bob", "B\u00f6b & Co = 100 % + #1"):
        for network in (None, "main", "my-own-1"):
            pairing = Pairing(
                multiaddrs=(ADDRESS, ADDRESS), public_key=KEY, scheme="lotus", nickname=nickname, network=network
            )
            assert read_pairing(pairing_link(pairing)) == pairing
    assert pairing_link(read_pairing(LINK)) == WHOLE


def test_a_link_without_its_last_characters_is_called_incomplete_wherever_it_was_cut() -> None:
    whole = pairing_link(
        Pairing(multiaddrs=(ADDRESS,), public_key=KEY, scheme="lotus", nickname="B\u00f6b & Co", network="main")
    )
    begin = whole.index("sum=") + len("sum=")
    for end in range(begin + 1, len(whole)):
        with pytest.raises(NoPairing, match=INCOMPLETE):
            read_pairing(whole[:end])
    for end in range(begin):
        with pytest.raises(NoPairing, match=r"whole|name=value"):
            read_pairing(whole[:end])


def test_a_link_in_which_characters_were_changed_or_added_is_called_incomplete() -> None:
    for changed in (WHOLE.replace("=Bob", "=Rob"), WHOLE.replace("/4328/", "/4329/"), f"{WHOLE}.", f"{WHOLE}&sum=0"):
        with pytest.raises(NoPairing, match=INCOMPLETE):
            read_pairing(changed)


def test_a_link_written_in_other_characters_of_the_same_meaning_is_whole() -> None:
    nickname = "B\u00f6b of X"
    whole = pairing_link(Pairing(multiaddrs=(ADDRESS,), public_key=KEY, scheme="lotus", nickname=nickname))
    for other in (
        whole.replace("/ip4/", "%2Fip4%2F"),
        whole.replace("%20", "+"),
        whole.replace("%C3%B6", "\u00f6"),
        whole.replace("&key", "\n&key"),
    ):
        assert other != whole
        assert read_pairing(other).nickname == nickname


def test_a_link_has_the_same_sum_as_the_kit_in_typescript_writes() -> None:
    whole = pairing_link(
        Pairing(multiaddrs=(ADDRESS,), public_key=KEY, scheme="bip340", nickname="B\u00f6b (1+1)", network="main")
    )
    assert whole.startswith("musigd://pair?sum=af893158&addr=/ip4/"), "also in clients/typescript/test/pairing.test.ts"


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
