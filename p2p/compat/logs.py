"""Keep py-libp2p from writing to stderr: peers can make it log at will, and its own set-up bypasses the program's."""

from __future__ import annotations

import logging
import os

from libp2p.network.connection import swarm_connection

LIBRARY = "libp2p"


def quiet() -> None:
    """Let only critical messages through, to the program's own handlers; `LIBP2P_DEBUG` leaves the library as it is.

    `swarm_connection` calls the functions of the `logging` module itself, which would install a handler on the root.
    """
    swarm_connection.logging = logging.getLogger(swarm_connection.__name__)  # type: ignore[assignment,attr-defined] # same functions
    if os.environ.get("LIBP2P_DEBUG"):
        return
    library = logging.getLogger(LIBRARY)
    library.setLevel(logging.CRITICAL)
    library.propagate = True
    if not library.handlers:
        library.addHandler(logging.NullHandler())  # or the last-resort handler would print
    logging.getLogger("libp2p.network.auto_connector").setLevel(logging.CRITICAL)  # it sets its own level
