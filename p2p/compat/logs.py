"""Keeps py-libp2p from writing to stderr: peers can make it log at will, and it configures logging by itself."""

from __future__ import annotations

import logging
import os

from libp2p.network.connection import swarm_connection
from libp2p.utils.logging import cleanup_logging, setup_logging

LIBRARY = "libp2p"


def quiet() -> None:
    """Let only critical messages through; with `LIBP2P_DEBUG` those that it selects. All go to the program's handlers.

    `swarm_connection` calls the functions of the `logging` module itself, which would install a handler on the root.
    With `LIBP2P_DEBUG` the library writes to standard error from a thread of its own, without a bound, and to a file.
    """
    swarm_connection.logging = logging.getLogger(swarm_connection.__name__)  # type: ignore[assignment,attr-defined] # same functions
    setup_logging()  # as the library's package would, which is not run
    cleanup_logging()  # stops that thread
    ours = [name for name in logging.getLogger().manager.loggerDict if name.partition(".")[0] == LIBRARY]
    for library in map(logging.getLogger, ours):
        library.handlers.clear()
        library.propagate = True
    if not os.environ.get("LIBP2P_DEBUG"):
        logging.getLogger(LIBRARY).setLevel(logging.CRITICAL)
        logging.getLogger("libp2p.network.auto_connector").setLevel(logging.CRITICAL)  # it sets its own level
    logging.getLogger(LIBRARY).addHandler(logging.NullHandler())  # or the last-resort handler would print
