"""miniupnpd, which most home routers run, on a router of the lab; Debian has it as miniupnpd-nftables.

`MINIUPNPD` names the program where it is not on the PATH.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from tests.namespaces.homes import WAN, Internet
from tests.namespaces.lab import NoLab, run

TABLE = """
table inet miniupnpd {
    chain forward { type filter hook forward priority 1; jump miniupnpd; }
    chain miniupnpd { }
    chain prerouting { type nat hook prerouting priority -100; jump prerouting_miniupnpd; }
    chain prerouting_miniupnpd { }
    chain postrouting { type nat hook postrouting priority 99; jump postrouting_miniupnpd; }
    chain postrouting_miniupnpd { }
}
"""
SETTINGS = """ext_ifname={wan}
{lans}
enable_upnp={upnp}
enable_natpmp={natpmp}
secure_mode=yes
force_igd_desc_v1={first}
upnp_table_name=miniupnpd
upnp_nat_table_name=miniupnpd
upnp_forward_chain=miniupnpd
upnp_nat_chain=prerouting_miniupnpd
upnp_nat_postrouting_chain=postrouting_miniupnpd
uuid=8f2cbd5e-7d1c-4c2a-9a8b-3f0a1c5d7e90
allow 1024-65535 0.0.0.0/0 1024-65535
deny 0-65535 0.0.0.0/0 0-65535
"""


def miniupnpd() -> str:
    """The program. Raises NoLab."""
    found = os.environ.get("MINIUPNPD") or shutil.which("miniupnpd")
    if found is None:
        raise NoLab("it needs miniupnpd (package miniupnpd-nftables)")
    return found


class UpnpRouter:
    """UPnP on that router for its sides `lans`; or with `natpmp` NAT-PMP and PCP, and no UPnP.

    `version`: of the Internet Gateway Device.
    """

    def __init__(
        self,
        root: Path,
        internet: Internet,
        name: str,
        lans: Sequence[str],
        version: int = 2,
        wan: str = WAN,
        *,
        natpmp: bool = False,
    ) -> None:
        self._within = internet.within(name)
        self._program = miniupnpd()
        self._settings = root / f"{name}.conf"
        listening = "\n".join(f"listening_ip={lan}" for lan in lans)
        spoken = {"upnp": "no", "natpmp": "yes"} if natpmp else {"upnp": "yes", "natpmp": "no"}
        first = "yes" if version == 1 else "no"
        self._settings.write_text(SETTINGS.format(wan=wan, lans=listening, first=first, **spoken))
        self._log = root / f"{name}.log"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """With no port mapped."""
        run(*self._within, "nft", "-f", "-", given=TABLE)
        command = [*self._within, self._program, "-d", "-f", str(self._settings), "-P", f"{self._settings}.pid"]
        with self._log.open("ab") as output:
            self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output)

    def stop(self) -> None:
        """As when it is switched off: its mappings are gone."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None
            run(*self._within, "nft", "delete", "table", "inet", "miniupnpd")

    def mapped(self) -> dict[int, str]:
        """External TCP ports, and where they lead, as the kernel has them."""
        rules = run(*self._within, "nft", "list", "chain", "inet", "miniupnpd", "prerouting_miniupnpd")
        return {int(port): to for port, to in re.findall(r"th dport (\d+).*dnat ip to ([\d.]+:\d+)", rules)}
