"""The small files of a running daemon: those by which clients find it, its identity, a generated passphrase.

They are written when the listeners are up, and watched from then on.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from config.locations import COOKIE_NAME, ENDPOINT_NAME, text_of
from config.settings import Settings
from daemon.access.tokens import Tokens
from daemon.host.datadir import Datadir
from daemon.host.own_files import Loss
from daemon.host.slow_disk import off_loop
from daemon.keys.identity import IDENTITY_NAME
from daemon.keys.keystore import Keystore
from daemon.keys.passphrase import GENERATED_NAME
from daemon.upkeep.file_remedies import of_identity, of_passphrase
from daemon.upkeep.file_watch import FileWatch
from p2p.network import Network
from rpc.server.server import RpcServer


class Contact:
    """Lets clients on this machine find the daemon as long as it takes calls."""

    def __init__(
        self,
        *,
        settings: Settings,
        datadir: Datadir,
        socket: Path,
        tokens: Tokens,
        keystore: Keystore,
        network: Network,
        server: RpcServer,
        watch: FileWatch,
        write_identity: Callable[[], None],
    ) -> None:
        """`write_identity` writes the identity file again; it may raise IdentityError."""
        self._socket = socket
        self._settings = settings
        self._datadir = datadir
        self._tokens = tokens
        self._keystore = keystore
        self._network = network
        self._server = server
        self._watch = watch
        self._write_identity = write_identity

    async def start(self) -> None:
        """Write the files and start to watch them. The disk may be slow; clients that know the port call already."""
        group = self._settings.rpc.cookie_group
        if group is not None:
            await off_loop(lambda: self._datadir.let_group_in(group))
        await self._make_cookie()
        await self._write_endpoint()
        self._watch_files()
        await self._watch.start()

    async def stop(self) -> None:
        await self._watch.stop()

    def let_go(self) -> None:
        """The daemon is stopping and will remove its files: no longer report them as lost."""
        self._watch.let_go()

    async def put_identity_back(self) -> bool:
        """Write the peer identity again if its file was removed; returns whether it was. Raises IdentityError."""
        path = self._datadir.path / IDENTITY_NAME
        if self._watch.files.lost().get(path) is not Loss.REMOVED:
            return False
        await off_loop(self._write_identity)
        self._watch.files.know(path)
        return True

    def _watch_files(self) -> None:
        path = self._datadir.path
        self._watch.keep(self._socket, self._renew_socket)
        self._watch.keep(path / COOKIE_NAME, self._make_cookie)
        self._watch.keep(path / ENDPOINT_NAME, self._write_endpoint)
        self._watch.tell_of(path / IDENTITY_NAME, of_identity(path / IDENTITY_NAME))
        needed = self._keystore.needs_generated_file
        if needed():
            self._watch.tell_of(path / GENERATED_NAME, of_passphrase(path / GENERATED_NAME), needed)

    async def _renew_socket(self) -> None:
        self._datadir.socket(os.environ)  # its directory may be gone too: systemd removes a login's runtime directory
        await self._server.renew_socket()

    async def _make_cookie(self) -> None:
        await self._tokens.make_cookie(self._datadir.path, self._settings.rpc.cookie_group)

    async def _write_endpoint(self) -> None:
        endpoint = {
            "rpc": self._server.url,
            "ws": self._server.ws_url,
            "socket": text_of(self._socket),
            "peerId": self._network.peer_text,
            "multiaddrs": list(self._network.multiaddrs()),
            "pid": os.getpid(),
        }
        await off_loop(lambda: self._datadir.write_endpoint(endpoint))
