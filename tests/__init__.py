import os
import sys

# The suite starts hundreds of daemons, and each would compile all modules that it loads.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

import p2p  # noqa: E402, F401 - its stand-ins must be there before a test imports libp2p itself
