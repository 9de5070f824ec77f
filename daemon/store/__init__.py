"""The daemon's database: SQLite with one writer thread, group commit and forward-only migrations."""

from daemon.store.errors import (
    DatabaseGone,
    LockGone,
    StoreClosed,
    StoreCorrupt,
    StoreError,
    StoreFull,
    StoreTooNew,
    StoreUnusable,
)
from daemon.store.store import Store, StoreStats

__all__ = [
    "DatabaseGone",
    "LockGone",
    "Store",
    "StoreClosed",
    "StoreCorrupt",
    "StoreError",
    "StoreFull",
    "StoreStats",
    "StoreTooNew",
    "StoreUnusable",
]
