"""`musigd demo`: real daemons on loopback, driven as wallets would drive them, make one verified signature."""
