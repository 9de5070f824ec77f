"""Strangers with as many addresses of IPv6 as they like: what they get as one source, and how many are let in.

python -m tests.namespaces.slow_ipv6
"""

from __future__ import annotations

import asyncio
import ipaddress
import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

from tests.adversary import namespace
from tests.adversary.attacks.streams.range_of_identities import EACH
from tests.adversary.measure import Scene, attackers, scene

ADDRESS = "2a05::1"
PEERS, SEED = 12, 1
ASKING_S, COMING_S = 10.0, 20.0
FROM_ONE_SUBNET = 64


async def attacked(stage: Scene, name: str, seconds: float) -> tuple[dict[str, Any], list[str]]:
    """What the attackers counted after so long, and the subnets of the peers that are connected then."""
    async with attackers(name, stage.target, PEERS, SEED) as hostile:
        await hostile.prepared()
        hostile.begin()
        await asyncio.sleep(seconds)
        answer = await stage.wallets[0].client.call("listPeers")
        hosts = [each["multiaddrs"][0].split("/")[2] for each in answer["peers"] if each["multiaddrs"]]
        subnets = [str(ipaddress.ip_network(f"{host}/64", strict=False)) for host in hosts if ":" in host]
        return hostile.counted, subnets


async def play() -> None:
    with tempfile.TemporaryDirectory() as folder:
        async with scene(Path(folder), address=ADDRESS) as stage:
            counted, subnets = await attacked(stage, "range_of_identities", ASKING_S)
            inside, outside = counted["answers in the range"], counted["answers elsewhere"]
            each = inside / (EACH * PEERS)
            print(f"{EACH * PEERS} peers, each in a /64 of its own of one /48, got {each:.0f} answers each")
            print(f"one peer in another /48 got {outside} in the same {ASKING_S:.0f} s")
            assert len(set(subnets)) > PEERS, subnets
            assert outside > 2 * each, "or the range would not be one source"
            counted, subnets = await attacked(stage, "full_subnet", COMING_S)
            most = max(subnets.count(each) for each in set(subnets))
            print(f"of one /64 {most} connections were open at once, after {counted['identities']} attempts")
            assert FROM_ONE_SUBNET / 2 < most <= FROM_ONE_SUBNET
            assert stage.alive


def main() -> int:
    lacking = [tool for tool in ("ip", "unshare") if shutil.which(tool) is None]
    if os.geteuid() != 0 or lacking:
        print("make test-ipv6 cannot run here: it needs root, ip and unshare.", file=sys.stderr)
        return 2
    namespace.enter("tests.namespaces.slow_ipv6")
    asyncio.run(play())
    return 0


if __name__ == "__main__":
    sys.exit(main())
