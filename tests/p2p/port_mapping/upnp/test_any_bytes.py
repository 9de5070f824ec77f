"""Whatever a router or anybody in its network sends is an answer or a BadAnswer, and nothing else."""

from __future__ import annotations

from contextlib import suppress

from hypothesis import given
from hypothesis import strategies as st

from p2p.port_mapping.router import BadAnswer
from p2p.port_mapping.upnp.elements import MOST_DEPTH, Element, parsed
from p2p.port_mapping.upnp.http import Url, url_at
from p2p.port_mapping.upnp.search import ROUTES, SSDP, Lan, _take

ROUTER = "192.168.1.1"
NEARLY = st.text("<>/?!&;:'\"= abAD[]%#x0\n", max_size=200).map(str.encode)
ANSWER = st.builds(
    lambda head, location, rest: b"HTTP/1.1 200 OK\r\n" + head + b"\r\nLocation: " + location + b"\r\n" + rest,
    st.binary(max_size=40),
    st.binary(max_size=80)
    | st.just(b"http://192.168.1.1:5000/d.xml")
    | st.text("htp:/@192.168:#?[]%", max_size=40).map(str.encode),
    st.binary(max_size=40),
)


@given(st.binary(max_size=300) | NEARLY | NEARLY.map(lambda inner: b"<a>" + inner + b"</a>"))
def test_any_document_is_a_tree_or_refused(document: bytes) -> None:
    tree = Element("")
    with suppress(BadAnswer):
        tree = parsed(document)
    assert sum(1 for _ in tree.all("a")) <= len(document)
    assert MOST_DEPTH < 1_000, "far from where recursion ends"


@given(st.text(max_size=80) | st.text("htp:/@.12[]:%#?;\\ \n", max_size=60))
def test_any_url_is_at_that_host_or_refused(text: str) -> None:
    base = Url(ROUTER, 80, "/")
    found = base
    with suppress(BadAnswer):
        found = url_at(ROUTER, text, base)
    assert found.host == ROUTER
    assert 0 < found.port < 65_536
    assert found.target.startswith("/")
    assert not set(found.target) & set(" \r\n\0")


@given(st.binary(max_size=300) | ANSWER, st.sampled_from([ROUTER, "192.168.1.7"]))
def test_any_datagram_leads_to_the_router_or_nowhere(data: bytes, who: str) -> None:
    found: dict[Url, None] = {}
    _take(data, who, Lan((), (SSDP,), frozenset({ROUTER})), found, {})
    assert {url.host for url in found} <= {ROUTER}
    assert who == ROUTER or not found


def test_the_routing_table_is_read_where_a_sandboxed_service_sees_it() -> None:
    assert str(ROUTES).startswith("/proc/self/")  # systemd's ProcSubset=pid hides /proc/net
