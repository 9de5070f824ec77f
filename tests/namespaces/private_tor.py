"""A Tor network on the loopback of one namespace, of the real program: three authorities, four relays, and clients.

As chutney does it: `TestingTorNetwork`, a consensus every 20 s. `TOR` names the program where it is not on the PATH;
tor-gencert is beside it.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from tests.namespaces.lab import NoLab

AUTHORITIES, RELAYS = 3, 4
FIRST_OR, FIRST_DIR, FIRST_RELAY, FIRST_SOCKS = 5_000, 7_000, 5_100, 9_050
PATIENCE_S: Final = 120.0
ALL: Final = """TestingTorNetwork 1
TestingDirAuthVoteExit *
TestingDirAuthVoteHSDir *
TestingDirAuthVoteGuard *
PathsNeededToBuildCircuits 0.67
V3AuthNIntervalsValid 2
ClientRejectInternalAddresses 0
ExitPolicyRejectPrivate 0
AssumeReachable 1
ShutdownWaitLength 0
Address 127.0.0.1
Nickname {name}
DataDirectory {folder}
Log notice file {folder}/log
"""
AUTHORITY: Final = """AuthoritativeDirectory 1
V3AuthoritativeDirectory 1
ContactInfo nobody
TestingV3AuthInitialVotingInterval 5
TestingV3AuthInitialVoteDelay 2
TestingV3AuthInitialDistDelay 2
V3AuthVotingInterval 20
V3AuthVoteDelay 4
V3AuthDistDelay 4
OrPort {port}
DirPort {dir_port}
SocksPort 0
ExitRelay 0
"""
RELAY: Final = "OrPort {port}\nSocksPort 0\nExitRelay 1\nExitPolicy accept *:*\n"
CLIENT: Final = """SocksPort 127.0.0.1:{socks} ExtendedErrors
HiddenServiceDir {folder}/service
HiddenServicePort {service} 127.0.0.1:{port}
"""


def tor_program() -> str:
    """Raises NoLab."""
    found = os.environ.get("TOR") or shutil.which("tor")
    if found is None:
        raise NoLab("it needs tor (package tor)")
    return found


def _gencert(tor: str) -> str:
    """tor-gencert, beside `tor` or beside what that is a link to. Raises NoLab."""
    beside = [Path(tor).with_name("tor-gencert"), Path(tor).resolve().with_name("tor-gencert")]
    found = next((str(path) for path in beside if path.exists()), None) or shutil.which("tor-gencert")
    if found is None:
        raise NoLab(f"tor-gencert is not beside {tor}, where Tor's packages put it")
    return found


class PrivateTor:
    """`clients`: for each the port of the host to which its onion service leads. Everything ends with `stop`."""

    def __init__(self, root: Path, within: Sequence[str], clients: Sequence[int], service: int) -> None:
        self._root, self._within, self._tor = root, list(within), tor_program()
        self._processes: list[subprocess.Popen[bytes]] = []
        named = [self._authority(number) for number in range(AUTHORITIES)]
        for number in range(RELAYS):
            self._node(f"relay{number}", RELAY.format(port=FIRST_RELAY + number))
        for number, port in enumerate(clients):
            folder = self._root / f"client{number}"
            self._node(
                folder.name, CLIENT.format(socks=FIRST_SOCKS + number, folder=folder, service=service, port=port)
            )
        for folder in self._folders():
            with (folder / "torrc").open("a") as settings:
                settings.write("".join(named))

    def start(self) -> None:
        """Every program at once."""
        for folder in self._folders():
            with (folder / "said").open("wb") as output:
                command = [*self._within, self._tor, "-f", str(folder / "torrc")]
                self._processes.append(subprocess.Popen(command, stdout=output, stderr=output))

    def stop(self) -> None:
        """Every program at once."""
        for process in self._processes:
            process.kill()
        for process in self._processes:
            process.wait()

    def until_ready(self, client: int) -> None:
        """Wait until that client has circuits."""
        log, begun = self._root / f"client{client}" / "log", time.monotonic()
        while not (log.exists() and "Bootstrapped 100%" in log.read_text()):
            assert time.monotonic() - begun < PATIENCE_S, "this Tor network does not come up"
            time.sleep(0.1)

    def onion(self, client: int) -> str:
        """The address of its service, without `.onion`."""
        name = (self._root / f"client{client}" / "service" / "hostname").read_text().strip()
        return name.removesuffix(".onion")

    def _folders(self) -> list[Path]:
        return sorted(path.parent for path in self._root.glob("*/torrc"))

    def _node(self, name: str, settings: str) -> Path:
        folder = self._root / name
        folder.mkdir(mode=0o700)
        (folder / "torrc").write_text(ALL.format(name=name, folder=folder) + settings)
        return folder

    def _authority(self, number: int) -> str:
        """The line by which all others know it."""
        name, port, dir_port = f"authority{number}", FIRST_OR + number, FIRST_DIR + number
        folder = self._node(name, AUTHORITY.format(port=port, dir_port=dir_port))
        keys = folder / "keys"
        keys.mkdir(mode=0o700)
        at = f"127.0.0.1:{dir_port}"
        files = [f"-{letter} {keys}/authority_{what}" for letter, what in zip("isc", FILES, strict=True)]
        command = [_gencert(self._tor), "--create-identity-key", "--passphrase-fd", "0", "-m", "12", "-a", at]
        subprocess.run([*command, *" ".join(files).split()], input=b"x\n", check=True, capture_output=True)
        certificate = (keys / "authority_certificate").read_text()
        found = re.search(r"^fingerprint (\w+)$", certificate, re.MULTILINE)
        assert found is not None
        known = f"orport={port} no-v2 v3ident={found[1]} {at}"
        ask = [self._tor, "-f", str(folder / "torrc"), "--quiet", "--list-fingerprint", "--DirAuthority"]
        said = subprocess.run([*ask, f"{name} {known} {'F' * 40}"], check=True, capture_output=True, text=True).stdout
        return f"DirAuthority {name} {known} {said.partition(' ')[2].replace(' ', '').strip()}\n"


FILES: Final = ("identity_key", "signing_key", "certificate")
