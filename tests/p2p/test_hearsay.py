"""Where and how often a node dials addresses from hearsay: it cannot be used to attack a third party."""

from __future__ import annotations

import asyncio
import secrets

import pytest

from musig2.protocol.records.peers import PeerIdentity
from p2p.addresses import from_text
from p2p.hearsay import AT_ONCE, FIRST_PAUSE_S, LAST_PAUSE_S, PER_SECOND, Hearsay
from tests.p2p.nodes import networks
from tests.serving import serving

HERE, ONE, TWO = "/ip4/192.168.0.9/tcp/4327", b"one", b"two"
PUBLIC = [f"/ip4/9.9.9.{number}/tcp/4327" for number in range(1, 200)]


def test_an_address_where_nobody_answered_is_not_dialled_again_soon_whoever_names_it() -> None:
    hearsay = Hearsay()
    assert hearsay.may_dial(HERE, ONE, 0.0)
    hearsay.silent(HERE, 0.0)
    assert not hearsay.may_dial(HERE, TWO, FIRST_PAUSE_S - 1)
    assert hearsay.may_dial(HERE, TWO, FIRST_PAUSE_S)
    hearsay.silent(HERE, FIRST_PAUSE_S)
    assert not hearsay.may_dial(HERE, ONE, 3 * FIRST_PAUSE_S - 1)
    assert hearsay.may_dial(HERE, ONE, 3 * FIRST_PAUSE_S)


def test_while_a_dial_is_under_way_no_other_peer_is_dialled_there() -> None:
    hearsay = Hearsay()
    assert hearsay.may_dial(HERE, ONE, 0.0)
    assert not hearsay.may_dial(HERE, TWO, 1.0)
    assert hearsay.may_dial(HERE, TWO, FIRST_PAUSE_S)


def test_where_another_peer_answered_only_that_peer_is_dialled_again() -> None:
    hearsay = Hearsay()
    hearsay.another(HERE, TWO, 0.0)
    assert not hearsay.may_dial(HERE, ONE, LAST_PAUSE_S - 1)
    assert hearsay.may_dial(HERE, TWO, 1.0)
    hearsay.another(HERE, None, 2.0)
    assert not hearsay.may_dial(HERE, TWO, 3.0)


def test_an_address_where_the_named_peer_answered_is_dialled_again() -> None:
    hearsay = Hearsay()
    hearsay.silent(HERE, 0.0)
    hearsay.answered(HERE, ONE)
    assert hearsay.may_dial(HERE, ONE, 1.0)


def test_an_address_range_is_not_scanned() -> None:
    hearsay = Hearsay()
    assert sum(hearsay.may_dial(addr, ONE, 0.0) for addr in PUBLIC) == AT_ONCE
    assert hearsay.may_dial("/ip4/9.9.8.1/tcp/4327", ONE, 0.0)
    assert sum(hearsay.may_dial(addr, ONE, 1 / PER_SECOND) for addr in PUBLIC) == 1


@pytest.mark.network
async def test_made_up_identities_at_one_address_cause_one_connection() -> None:
    met = 0

    async def victim(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal met
        met += 1
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    async with serving(victim) as port, networks(1) as (anna,):
        addr = from_text(f"/ip4/127.0.0.1/tcp/{port}")
        made_up = [PeerIdentity(secrets.token_bytes(32)).peer for _ in range(20)]
        reached = await asyncio.gather(*(anna.dial(peer, [addr], hearsay=True) for peer in made_up))
        assert not any(reached)
        assert not await anna.dial(made_up[0], [addr], hearsay=True)
    assert met == 1


@pytest.mark.network
async def test_a_peer_is_found_where_a_liar_said_that_somebody_else_is() -> None:
    async with networks(2) as (anna, ben):
        addr = from_text(ben.address.partition("/p2p/")[0])
        made_up = PeerIdentity(secrets.token_bytes(32)).peer
        assert not await anna.dial(made_up, [addr], hearsay=True)
        assert await anna.dial(ben.peer, [addr], hearsay=True)
