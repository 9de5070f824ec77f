"""Is a coordinate a square? The one file that touches gmpy2, which is variable-time: public data only."""

from typing import Final

from gmpy2 import jacobi, mpz  # type: ignore[import-untyped]  # C extension without stubs

FIELD: Final = 0xFFFFFFFF_FFFFFFFF_FFFFFFFF_FFFFFFFF_FFFFFFFF_FFFFFFFF_FFFFFFFE_FFFFFC2F
_FIELD: Final = mpz(FIELD)


def is_square(y: bytes) -> bool:
    """Whether y (32 bytes, below p) is a quadratic residue modulo the field prime."""
    return bool(jacobi(int.from_bytes(y), _FIELD) == 1)
