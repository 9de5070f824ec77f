"""The login for a proxy, from its file. Loads no libp2p."""

from __future__ import annotations

from p2p.errors import NetworkError
from p2p.settings import Proxy

LONGEST = 255  # of a user, of a password


def read_login(proxy: Proxy) -> tuple[bytes, bytes] | None:
    """User and password. Raises NetworkError `bad_proxy_login`, without what the file holds."""
    if proxy.login_file is None:
        return None
    try:
        user, found, password = proxy.login_file.read_bytes().strip().partition(b":")
    except OSError as error:
        raise _bad_login(f"cannot be read ({error.strerror})") from error
    if not found or not 1 <= len(user) <= LONGEST or not 1 <= len(password) <= LONGEST:
        raise _bad_login("must hold one line USER:PASSWORD, each of at most 255 bytes")
    return user, password


def _bad_login(why: str) -> NetworkError:
    return NetworkError("bad_proxy_login", f"p2p.socks5_login: the file {why}")
