"""Shows the faults of the library as it comes: python -m tests.libp2p.show [NAME...], JSON, a line each."""

from __future__ import annotations

import os
import sys

from tests.libp2p import faults_of_services
from tests.libp2p.faults import FAULTS, told

if __name__ == "__main__":
    assert faults_of_services.__name__  # which adds its own to FAULTS
    told(sys.argv[1:] or list(FAULTS))
    os._exit(0)  # threads of the library would be waited for
