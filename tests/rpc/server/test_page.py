"""The page: loads without a token, holds no data, and may run nothing but its own script."""

from __future__ import annotations

import asyncio
import gzip
import re
from importlib.resources import files

import aiohttp
import pytest

from tests.rpc.rpc_world import World

HEX = "ab" * 32
VIEWS = ("/", "/market", "/requests", "/requests/new", f"/requests/{HEX}", "/sessions", f"/sessions/{HEX}", "/node")
ASSETS = {"page.js": "text/javascript", "page.css": "text/css", "icon.svg": "image/svg+xml"}
NO_PATHS = (
    "/assets/",
    "/assets/built.json",
    "/assets/index.html",
    "/assets/../page.py",
    "/assets/..%2fpage.py",
    "/assets/%2e%2e/page.py",
    "/assets//etc/passwd",
    "/assets/page.js/",
    "/assets/page.js%00",
    "/static/page.js",
    "/market/",
    "/requests/" + HEX.upper(),
    f"/requests/{HEX}/",
    f"/requests/{HEX}%0a",
    "/sessions/new",
    "/index.html",
)


def built(name: str) -> bytes:
    return files("rpc.server").joinpath("static", name).read_bytes()


@pytest.mark.parametrize("path", VIEWS)
async def test_every_view_survives_a_reload(world: World, path: str) -> None:
    async with world.session.get(f"{world.base}{path}?type=swap") as response:
        assert response.status == 200
        assert response.content_type == "text/html"
        assert await response.read() == built("index.html")


@pytest.mark.parametrize("path", [*VIEWS, *(f"/assets/{name}" for name in ASSETS)])
async def test_policy_lets_the_page_talk_to_this_daemon_and_to_nobody_else(world: World, path: str) -> None:
    async with world.session.get(world.base + path) as response:
        policy = dict(rule.split(" ", 1) for rule in response.headers["Content-Security-Policy"].split("; "))
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        assert response.headers["Referrer-Policy"] == "no-referrer"
    for kind in ("default-src", "base-uri", "form-action", "frame-ancestors", "trusted-types"):
        assert policy[kind] == "'none'"
    for kind in ("script-src", "style-src", "connect-src", "img-src"):
        assert policy[kind] == "'self'"
    assert policy["require-trusted-types-for"] == "'script'"


def test_document_has_no_script_and_no_style_of_its_own() -> None:
    text = built("index.html").decode()
    assert re.findall(r"<script[^>]*>(.*?)</script>", text) == [""]
    assert "<style" not in text
    assert not re.search(r"\s(?:on\w+|style)=", text), "the policy would refuse it"
    assert re.findall(r'(?:src|href)="(?!/assets/)', text) == [], "nothing comes from elsewhere"


@pytest.mark.parametrize(("name", "content_type"), ASSETS.items())
async def test_assets_are_served_with_their_types_and_compressed(world: World, name: str, content_type: str) -> None:
    plain = {"Accept-Encoding": "identity"}
    async with world.session.get(f"{world.base}/assets/{name}", headers=plain) as response:
        assert response.content_type == content_type
        assert await response.read() == built(name)
    async with aiohttp.ClientSession(auto_decompress=False) as session:
        asked = session.get(f"{world.base}/assets/{name}", headers={"Accept-Encoding": "br, gzip"})
        async with asked as response:
            assert response.headers["Content-Encoding"] == "gzip"
            assert response.headers["Vary"] == "Accept-Encoding"
            assert gzip.decompress(await response.read()) == built(name)


async def test_page_weighs_less_than_a_hundred_kilobytes(world: World) -> None:
    weight = 0
    async with aiohttp.ClientSession(auto_decompress=False) as session:
        for path in ("/", *(f"/assets/{name}" for name in ASSETS)):
            async with session.get(world.base + path, headers={"Accept-Encoding": "gzip"}) as response:
                weight += len(await response.read())
    assert weight < 100_000


async def test_browser_that_has_a_file_is_sent_nothing_until_it_changes(world: World) -> None:
    url = f"{world.base}/assets/page.js"
    async with world.session.get(url) as response:
        assert response.headers["Cache-Control"] == "no-cache"
        tag = response.headers["ETag"]
    async with world.session.get(url, headers={"If-None-Match": f'"other", {tag}'}) as response:
        assert response.status == 304
        assert await response.read() == b""
        assert response.headers["ETag"] == tag
    async with world.session.get(url, headers={"If-None-Match": '"other"'}) as response:
        assert response.status == 200


@pytest.mark.parametrize("path", NO_PATHS)
async def test_no_other_path_leads_to_a_file(world: World, path: str) -> None:
    reader, writer = await open_raw(world)
    writer.write(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
    answer = await reader.read()
    writer.close()
    assert answer.startswith((b"HTTP/1.1 404", b"HTTP/1.1 400")), answer[:200]


async def open_raw(world: World) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A connection that sends a path as it is written; clients tidy it first."""
    return await asyncio.open_connection("127.0.0.1", world.server.port)


async def test_head_is_answered_and_other_methods_are_told_which_there_are(world: World) -> None:
    async with world.session.head(f"{world.base}/market") as response:
        assert response.status == 200
        assert await response.read() == b""
    async with world.session.put(f"{world.base}/market") as response:
        assert response.status == 405
        assert response.headers["Allow"] == "GET, HEAD"
    async with world.session.put(world.base + "/") as response:
        assert response.headers["Allow"] == "POST, GET, HEAD"


def test_page_says_where_a_token_is_to_be_found() -> None:
    text = built("page.js").decode()
    assert ".cookie" in text
    assert "createToken" in text
