"""Two daemons that find each other and sign over onion services of a real, private Tor network.

python -m tests.namespaces.slow_tor_network prints seconds, and what the real Tor says where a dial cannot succeed.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

from nacl.signing import SigningKey

from musig2.protocol.records.peers import peer_of, peer_text
from tests.e2e.fleet import advertise_all, sign
from tests.e2e.vessels import Vessel
from tests.namespaces.homes import Internet
from tests.namespaces.lab import NoLab
from tests.namespaces.private_tor import FIRST_SOCKS, PrivateTor, tor_program

SERVICE: Final = 4_327
NOBODY: Final = peer_text(peer_of(bytes(range(32))))


def no_service() -> str:
    """An address with the checksum of Tor's rend-spec-v3 (section 6), of a key that serves nothing."""
    key = SigningKey.generate().verify_key.encode()
    checksum = hashlib.sha3_256(b".onion checksum" + key + b"\x03").digest()[:2]
    return base64.b32encode(key + checksum + b"\x03").decode().lower()


class Clock:
    """Prints the seconds between laps."""

    def __init__(self) -> None:
        self._begun = time.monotonic()

    def lap(self, what: str) -> None:
        """Print the seconds since the last one."""
        print(f"  {what:<64} {time.monotonic() - self._begun:6.2f} s", flush=True)
        self._begun = time.monotonic()


def hidden(root: Path, internet: Internet, name: str, login: str) -> Vessel:
    made = Vessel(root, name, "lab", within=internet.within("host"))
    file = root / f"{name}.login"
    file.write_text(login)
    file.chmod(0o600)
    made.environment["MUSIGD_P2P__SOCKS5_LOGIN"] = str(file)
    return made


async def play(internet: Internet, root: Path) -> None:
    internet.host("host")
    anna, ben = (hidden(root, internet, name, f"{name}:any") for name in ("Anna", "Ben"))
    folder = root / "tor"
    folder.mkdir(mode=0o700)
    clock = Clock()
    tor = PrivateTor(folder, internet.within("host"), [anna.port, ben.port], SERVICE)
    try:
        tor.start()
        for number, vessel in enumerate((anna, ben)):
            tor.until_ready(number)
            vessel.environment["MUSIGD_P2P__SOCKS5"] = f"127.0.0.1:{FIRST_SOCKS + number}"
            vessel.environment["MUSIGD_P2P__ANNOUNCE"] = f"/onion3/{tor.onion(number)}:{SERVICE}"
        clock.lap("a Tor network is up, with an onion service for each")
        await anna.start()
        await ben.start([anna.multiaddr])
        wallets = [await vessel.open_wallet() for vessel in (anna, ben)]
        clock.lap("both daemons have started")
        assert anna.multiaddr == f"/onion3/{tor.onion(0)}:{SERVICE}/p2p/{anna.peer}"
        await advertise_all(wallets, "lotus")
        clock.lap("ben has dialled anna's service; each has found the other's key")
        for _ in range(3):
            await sign(wallets)
            clock.lap("signed")
        (seen,) = (await wallets[1].call("listPeers"))["peers"]
        assert seen["direction"] == "outbound"
        assert all(text.startswith("/onion3/") for text in seen["multiaddrs"])
        print(f"  ben is connected to {seen['multiaddrs']}", flush=True)
        for what, where in (
            ("no onion address", f"/onion3/{'a' * 56}:{SERVICE}"),
            ("no such service", f"/onion3/{no_service()}:{SERVICE}"),
            ("nobody behind the service", f"/onion3/{tor.onion(1)}:{SERVICE + 1}"),
        ):
            asked = wallets[0].call("connectPeer", multiaddr=f"{where}/p2p/{NOBODY}")
            answers: list[object] = list(await asyncio.gather(asked, return_exceptions=True))
            clock.lap(what)
            print(f"    {answers[0]}", flush=True)
    finally:
        await asyncio.gather(*(vessel.close() for vessel in (anna, ben)))
        tor.stop()


def main() -> int:
    try:
        tor_program()
        with Internet() as internet, tempfile.TemporaryDirectory() as folder:
            asyncio.run(play(internet, Path(folder)))
    except NoLab as error:
        print(f"make test-tor-network cannot run here: {error}.", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
