"""Everything that fixes or avoids a fault of py-libp2p, in one place.

docs/decisions/libp2p.md has a table: each guard, the fault that it is for, and what in the library would make it
unnecessary. It is made from `tests/libp2p/guards.py`, where whatever is added here needs a row.
"""

from p2p.compat.logs import quiet

quiet()
