"""From the bytes of a message to the answer of its method."""

from typing import Final

from config.left_out import Unloaded, leave_out

# Of jsonrpcserver one inner function is used; its package loads jsonschema for the outer ones.
JSONRPCSERVER: Final = Unloaded(unrun=("jsonrpcserver", "oslash"))

leave_out(JSONRPCSERVER)
