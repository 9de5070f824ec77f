"""The static page: loads without a token, holds no data, and may run nothing but its own script."""

from __future__ import annotations

import base64
import re
import shutil
import subprocess
from hashlib import sha256
from pathlib import Path

from rpc.methods.table import METHODS
from tests.rpc.rpc_world import World


async def test_page_is_locked_down_to_its_own_script(world: World, tmp_path: Path) -> None:
    async with world.session.get(world.base + "/") as response:
        text = await response.text()
        policy = response.headers["Content-Security-Policy"]
        assert response.headers["Referrer-Policy"] == "no-referrer"
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    for tag in ("script", "style"):
        content = re.search(f"<{tag}>(.*?)</{tag}>", text, re.DOTALL)
        assert content is not None
        assert base64.b64encode(sha256(content[1].encode()).digest()).decode() in policy
    assert not re.search(r'\son\w+="', text), "an inline handler would be refused by the policy"
    assert "innerHTML" not in text, "what peers write is shown as text"
    for name in re.findall(r'call\("(\w+)"', text):
        assert name in METHODS


def test_script_of_the_page_is_valid_javascript(tmp_path: Path) -> None:
    node = shutil.which("node")
    text = (Path(__file__).parents[3] / "rpc" / "server" / "page.html").read_text()
    script = tmp_path / "page.js"
    found = re.search("<script>(.*?)</script>", text, re.DOTALL)
    assert found is not None
    script.write_text(found[1])
    assert found[1].count("{") == found[1].count("}")
    if node is not None:
        subprocess.run([node, "--check", script], check=True)


async def test_page_says_where_a_token_is_to_be_found(world: World) -> None:
    async with world.session.get(world.base + "/") as response:
        text = await response.text()
    assert ".cookie" in text
    assert "createToken" in text
