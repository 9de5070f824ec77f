"""The map of peers: own connections, relays through which others are reached, and no word that nobody said."""

from __future__ import annotations

import json

from playwright.async_api import Route, expect

from tests.browser.conftest import MakeScreen
from tests.e2e.vessels import Vessel

RELAY, BEHIND, DIRECT = ("12D3KooW" + letter * 44 for letter in "abc")
PEERS = [
    {"peerId": RELAY, "multiaddrs": ["/ip4/203.0.113.7/tcp/4327"], "direction": "outbound"},
    {"peerId": BEHIND, "multiaddrs": [f"/ip4/203.0.113.7/tcp/4327/p2p/{RELAY}/p2p-circuit"], "direction": "outbound"},
    {"peerId": DIRECT, "multiaddrs": [f"/ip4/203.0.113.9/tcp/4327/p2p/{BEHIND}"], "direction": "inbound"},
]


async def with_peers(route: Route) -> None:
    """The daemon's answers, but with these peers."""
    response = await route.fetch()
    answer = await response.json()
    if json.loads(route.request.post_data or "{}").get("method") == "listPeers":
        answer["result"] = {"peers": [{**peer, "since": 1_800_000_000_000, "publicKeys": []} for peer in PEERS]}
    await route.fulfill(response=response, body=json.dumps(answer))


async def test_relays_are_drawn_and_what_peers_do_not_tell_is_said(alice: Vessel, screen_of: MakeScreen) -> None:
    screen = await screen_of(alice)
    await screen.page.route("**/rpc", with_peers)
    await screen.open("/node")
    await screen.page.get_by_role("img", name="Map: connected to 3 peers; 0 more are known").wait_for()
    lines = screen.page.locator("svg line")
    kinds = await lines.evaluate_all("lines => lines.map(each => each.getAttribute('class')).sort()")
    assert kinds == ["circuit", "inbound", "outbound", "outbound"]
    await expect(screen.page.locator("figcaption")).to_contain_text("Peers do not tell to whom else they are connected")
