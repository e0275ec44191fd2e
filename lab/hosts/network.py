# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A bridge per lab and the way out to the package mirrors.

Interfaces of the hosts live in their own network namespaces and go away with them (machine.sh); what stays on the
machine is the bridge, three firewall rules marked with its name, and `ip_forward`, which the last lab puts back.
"""

from __future__ import annotations

import ipaddress
import json
import re
import shlex
from pathlib import Path

from lab.hosts.running import HostsError, run, succeeds

POOL = ipaddress.IPv4Network("10.77.0.0/16")
BRIDGE_PREFIX = "ptl"
SYS_NET = Path("/sys/class/net")
SYSCTL_BEFORE = Path("/run/patchtide-lab-sysctl.json")


def create(bridge: str) -> ipaddress.IPv4Network:
    """Make the bridge on a free /24 with its way out; its first address is the gateway."""
    subnet = _free_subnet()
    run(["ip", "link", "add", bridge, "type", "bridge"])
    run(["ip", "addr", "add", f"{subnet[1]}/{subnet.prefixlen}", "dev", bridge])
    run(["ip", "link", "set", bridge, "up"])
    _raise_sysctl("net.ipv4.ip_forward", 1)
    _raise_sysctl("fs.inotify.max_user_instances", 8192)
    mark = ["-m", "comment", "--comment", bridge]
    out = ["-s", str(subnet), "!", "-d", str(subnet)]
    run(["iptables", "-w", "-t", "nat", "-A", "POSTROUTING", *out, *mark, "-j", "MASQUERADE"])
    for direction in ("-i", "-o"):
        run(["iptables", "-w", "-t", "filter", "-I", "FORWARD", direction, bridge, *mark, "-j", "ACCEPT"])
    return subnet


def remove(bridge: str) -> None:
    """Remove what `create` made, as far as it is there."""
    for table, chain in (("nat", "POSTROUTING"), ("filter", "FORWARD")):
        for rule in run(["iptables", "-w", "-t", table, "-S", chain]).splitlines():
            words = shlex.split(rule)
            if "--comment" in words and words[words.index("--comment") + 1] == bridge:
                run(["iptables", "-w", "-t", table, "-D", *words[1:]])
    # The kernel gets rid of a dead host's interface some time after its last process; the next lab can't wait for that.
    for interface in [*sorted(path.name for path in SYS_NET.glob(f"{bridge}-*")), bridge]:
        if not succeeds(["ip", "link", "del", interface]) and exists(interface):
            raise HostsError(f"the interface {interface} can't be removed")
    if SYSCTL_BEFORE.exists() and not _bridges():
        for key, value in json.loads(SYSCTL_BEFORE.read_text()).items():
            _sysctl(key).write_text(f"{value}\n")
        SYSCTL_BEFORE.unlink()


def exists(interface: str) -> bool:
    return (SYS_NET / interface).exists()


def _bridges() -> list[str]:
    return [path.parent.name for path in SYS_NET.glob(f"{BRIDGE_PREFIX}*/bridge")]


def _free_subnet() -> ipaddress.IPv4Network:
    routes = run(["ip", "-4", "route", "show", "table", "all"])
    used = [ipaddress.ip_network(found, strict=False) for found in re.findall(r"\b\d+\.\d+\.\d+\.\d+(?:/\d+)?", routes)]
    for subnet in POOL.subnets(new_prefix=24):
        if not any(subnet.overlaps(other) for other in used):
            return subnet
    raise HostsError(f"no free /24 left in {POOL}; `ip route` shows what uses it")


def _sysctl(key: str) -> Path:
    return Path("/proc/sys") / key.replace(".", "/")


def _raise_sysctl(key: str, value: int) -> None:
    before = int(_sysctl(key).read_text())
    if before >= value:
        return
    saved = json.loads(SYSCTL_BEFORE.read_text()) if SYSCTL_BEFORE.exists() else {}
    SYSCTL_BEFORE.write_text(json.dumps({key: before, **saved}))
    _sysctl(key).write_text(f"{value}\n")
