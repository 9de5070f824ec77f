"""How well a peer is known, and that the network is told."""

from __future__ import annotations

import pytest

from daemon.peers import standings as module
from daemon.peers.standings import Standings
from p2p.network import Standing

KNOWN, ESTABLISHED, STRANGER = Standing
PEER, OTHER, REQUEST = b"peer", b"other", b"request"


class Told(list[tuple[bytes, Standing]]):
    """The standings that the network was told."""

    def __call__(self, peer: bytes, standing: Standing) -> None:
        self.append((peer, standing))


def test_a_peer_named_in_the_settings_is_known_from_the_start() -> None:
    told = Told()
    assert Standings(tell=told, configured=[PEER]).of(PEER) is KNOWN
    assert told == [(PEER, KNOWN)]


def test_the_standing_from_the_directory_holds_while_the_peer_is_connected() -> None:
    told = Told()
    standings = Standings(tell=told, look_up={PEER: ESTABLISHED, OTHER: STRANGER}.__getitem__)
    for peer in (PEER, OTHER):
        standings.met(peer)
    assert (standings.of(PEER), standings.of(OTHER)) == (ESTABLISHED, STRANGER)
    standings.left(PEER)
    standings.left(OTHER)
    assert standings.of(PEER) is STRANGER
    assert told == [(PEER, ESTABLISHED), (PEER, STRANGER)]


def test_a_peer_in_a_session_is_known_until_its_last_request_is_over() -> None:
    told = Told()
    standings = Standings(tell=told)
    standings.party(REQUEST, [PEER])
    standings.party(REQUEST, [PEER, OTHER])
    standings.party(b"another", [PEER])
    standings.over(REQUEST)
    standings.over(REQUEST)
    assert (standings.of(PEER), standings.of(OTHER)) == (KNOWN, STRANGER)
    assert (standings.in_session(PEER), standings.in_session(OTHER)) == (True, False)
    standings.over(b"another")
    assert not standings.in_session(PEER)
    assert told == [(PEER, KNOWN), (OTHER, KNOWN), (OTHER, STRANGER), (PEER, STRANGER)]


def test_a_peer_that_signed_with_this_daemon_stays_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PARTNERS", 1)
    told = Told()
    standings = Standings(tell=told)
    standings.party(REQUEST, [PEER])
    standings.partner(PEER)
    standings.over(REQUEST)
    assert standings.of(PEER) is KNOWN
    assert not standings.in_session(PEER)
    standings.partner(OTHER)
    assert standings.of(PEER) is STRANGER
    assert told == [(PEER, KNOWN), (OTHER, KNOWN), (PEER, STRANGER)]
