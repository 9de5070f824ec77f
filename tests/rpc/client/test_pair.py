"""Two signers that know each other exchange a pairing link and sign without the market."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
import segno

from daemon.demo.processes import Daemons, DemoDaemon
from musigd_client import Client
from musigd_client.errors import InvalidParams, PeerUnreachable
from musigd_client.pairing import Pairing, pairing_link, read_pairing
from rpc.cli.people.pair import qr_code
from rpc.methods import samples
from rpc.methods.contacts import LINK
from tests.rpc.client.test_cli import run
from tests.rpc.client.test_cli_people import at_a_terminal


def test_the_code_at_a_terminal_is_that_of_the_link_half_a_line_a_row() -> None:
    lines = qr_code(LINK).splitlines()
    modules = [row for line in lines for row in halves(line)]
    code = [list(row) for row in segno.make(LINK, error="l", micro=False).matrix_iter(border=2)]
    assert modules[: len(code)] == code
    assert len({len(line) for line in lines}) == 1


def halves(line: str) -> tuple[list[int], list[int]]:
    """The two rows of dark modules that a line of text shows."""
    return [int(one in "\u2584 ") for one in line], [int(one in "\u2580 ") for one in line]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def strangers(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[tuple[DemoDaemon, Client, Client]]:
    """Alice's daemon and clients of hers and Bob's, which do not know each other, of one network."""
    daemons = Daemons(tmp_path_factory.mktemp("strangers"), "pairing")
    try:
        first, second = await daemons.start("alice", ()), await daemons.start("bob", ())
        async with (
            await Client.connect(datadir=first.datadir) as alice,
            await Client.connect(datadir=second.datadir) as bob,
        ):
            yield first, alice, bob
    finally:
        await daemons.stop()


@pytest.mark.network
@pytest.mark.asyncio(loop_scope="module")
async def test_two_who_exchange_a_link_sign_without_a_market(strangers: tuple[DemoDaemon, Client, Client]) -> None:
    daemon, alice, bob = strangers
    at = ("--datadir", str(daemon.datadir))
    assert "make a key first: createKey" in (await run("pair", *at)).err
    a = (await alice.create_key(scheme="bip340")).public_key
    b = (await bob.create_key(scheme="bip340")).public_key
    link = (await run("pair", "--name", "Alice", *at)).out.strip()
    network = (await alice.get_info()).network
    assert read_pairing(link) == Pairing(
        multiaddrs=tuple((await alice.get_info()).multiaddrs[:2]),
        public_key=a,
        scheme="bip340",
        nickname="Alice",
        network=network,
    )
    code, shown = await at_a_terminal("pair", a, "--name", "Alice", *at)
    assert (code, shown.splitlines()[-1]) == (0, link)

    with pytest.raises(InvalidParams, match="is a link to this daemon itself"):
        await alice.add_contact(link=link)
    for cut in (link[:-1], link.partition("&")[0]):
        with pytest.raises(InvalidParams, match="this link is incomplete: copy it whole"):
            await bob.add_contact(link=cut)
        with pytest.raises(InvalidParams, match="this link is incomplete: copy it whole"):
            await bob.connect_peer(multiaddr=cut)
    elsewhere = pairing_link(Pairing(**{**vars(read_pairing(link)), "network": "main"}))
    for taken in (bob.add_contact(link=elsewhere), bob.connect_peer(multiaddr=elsewhere)):
        with pytest.raises(InvalidParams, match=f"is of the network main, and this daemon is of {network}"):
            await taken
    assert (await bob.list_contacts()).contacts == ()
    added = await bob.add_contact(link=link)
    assert (added.connected, added.nickname, added.public_key) == (True, "Alice", a)
    assert (await bob.connect_peer(multiaddr=link)).already_connected
    made = await alice.announce_signing_request(required_public_keys=[a, b], public_key=a, message=samples.MESSAGE)
    async for _ in bob.events(from_seq=0, events=["signing-request:received"]):
        break
    assert (await bob.find_signing_requests_for_me()).known_creators == (a,), "a contact is a creator that one knows"
    await bob.remove_contact(public_key=a)
    assert (await bob.find_signing_requests_for_me()).known_creators == ()
    await bob.join_signing_request(request_id=made.request_id, public_key=b)
    assert (await bob.wait_for_signature(request_id=made.request_id, timeout_s=60)).scheme == "bip340"


@pytest.mark.network
@pytest.mark.asyncio(loop_scope="module")
async def test_contacts_are_kept_whether_they_can_be_reached_or_not(
    strangers: tuple[DemoDaemon, Client, Client],
) -> None:
    _, alice, _ = strangers
    (address,) = read_pairing(LINK).multiaddrs
    nowhere = (address.replace("/tcp/4328/", "/tcp/9/"),)
    nobody = pairing_link(Pairing(**{**vars(read_pairing(LINK)), "multiaddrs": nowhere}))
    with pytest.raises(PeerUnreachable):
        await alice.connect_peer(multiaddr=nobody)
    once = await alice.add_contact(link=nobody, idempotency_key="once")
    assert (once.connected, once.nickname) == (False, "Bob")
    assert await alice.add_contact(link=nobody, idempotency_key="once") == once
    assert (await alice.add_contact(link=nobody, nickname="Robert")).nickname == "Robert"
    (kept,) = (await alice.list_contacts()).contacts
    assert (kept.nickname, kept.peer_id, kept.scheme) == ("Robert", samples.PEER_B, "lotus")
    with pytest.raises(InvalidParams, match="begins with musigd://pair"):
        await alice.add_contact(link="https://example.org")
    assert (await alice.remove_contact(public_key=samples.KEY_B)).removed
    assert (await alice.list_contacts()).contacts == ()
