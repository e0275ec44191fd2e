# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The estate of the sample runs: nodes of three accounts and two Regions with what they miss. Always the same."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Sequence
from typing import Any

ACCOUNTS = {"111122223333": "payments", "444455556666": "retail", "777788889999": "platform"}
REGIONS = ("eu-central-1", "us-east-1")
SYSTEMS = (
    ("Amazon Linux 2023", "linux", "al2023", "x86_64"),
    ("Red Hat Enterprise Linux 9", "linux", "rhel9", "x86_64"),
    ("Ubuntu 22.04", "linux", "ubuntu", "amd64"),
    ("SUSE Linux Enterprise Server 15", "linux", "sles", "x86_64"),
    ("Microsoft Windows Server 2022", "windows", "windows", ""),
)
LINUX = (
    ("kernel", "Security", "Critical", ("CVE-2026-31431", "CVE-2026-31402")),
    ("openssl-libs", "Security", "Critical", ("CVE-2026-2511",)),
    ("glibc", "Security", "Important", ("CVE-2026-4911",)),
    ("sudo", "Security", "Important", ("CVE-2026-3156",)),
    ("curl", "Security", "Medium", ("CVE-2026-38545",)),
    ("vim-minimal", "Security", "Low", ()),
    ("tzdata", "Bugfix", "", ()),
    ("ca-certificates", "Bugfix", "", ()),
)
WINDOWS = (
    ("KB5044281", "2026-11 Cumulative Update for Windows Server 2022", "SecurityUpdates", "Critical"),
    ("KB5044091", "2026-11 .NET Framework Security Update", "SecurityUpdates", "Important"),
    ("KB890830", "Windows Malicious Software Removal Tool", "UpdateRollups", ""),
)
HOSTILE = (
    "{{ 7*7 }}",
    "<script>document.title='owned'</script>",
    "\"quoted\" & 'single'",
    "line one\nline two\r\n=cmd|' /C calc'!A0",
    "מכונה-ייצור\u202egnp.exe",
    '=HYPERLINK("http://example.invalid","click")',
    "</td></tr></table><img src=x onerror=alert(1)>",
    "\x1b[31mred\x1b[0m\x07",
)


def estate(count: int = 60, names: Sequence[str] = ()) -> list[dict[str, Any]]:
    """Return plan entries of ``count`` nodes: three accounts, two Regions, every executor. Always the same."""
    chance = random.Random(20261117)
    return [_node(index, chance, names[index] if index < len(names) else "") for index in range(count)]


def _node(index: int, chance: random.Random, name: str) -> dict[str, Any]:
    system, platform, short, arch = SYSTEMS[index % len(SYSTEMS)]
    account = list(ACCOUNTS)[index % 3]
    application = ("checkout", "ledger", "search", "intranet")[index % 4]
    direct = platform == "linux" and index % 13 == 2
    hybrid = index % 11 == 5
    ident = hashlib.sha256(str(index).encode()).hexdigest()[:17]
    node_id = f"web-{index:03d}.dc1.example.net" if direct else f"{'mi' if hybrid else 'i'}-{ident}"
    executor = "linux" if direct else "ssm"
    name = name or f"{application}-{short}-{index:02d}"
    patches = _patches(platform, arch, short, chance)
    return {
        "node_id": node_id,
        "host": name,
        "name": name,
        "executor": executor,
        "platform": platform,
        "os": system,
        "account": "" if direct else account,
        "region": "" if direct else REGIONS[index % 2],
        "patch_group": f"{application.upper()}-PROD-{short.upper()}",
        **(
            {}
            if direct
            else {
                "baseline": "" if index % 17 == 3 else f"production-{short}",
                "baseline_id": f"pb-0{hashlib.sha256(short.encode()).hexdigest()[:16]}",
            }
        ),
        "state": "running",
        "tags": {"Application": application, "Owner": f"{ACCOUNTS[account]} team", "Environment": "production"},
        "patch_count": len(patches),
        "patches": patches,
        "pin": "versions" if direct else "kb" if platform == "windows" else "list",
        "reboot": "yes" if platform == "windows" or "kernel" in patches[0]["id"] else "unknown",
        "expected_minutes": 40 if platform == "windows" else 15,
    }


def _patches(platform: str, arch: str, short: str, chance: random.Random) -> list[dict[str, Any]]:
    if platform == "windows":
        chosen = WINDOWS[: chance.randint(1, 3)]
        return [_patch(*item, cves=("CVE-2026-43451",) if item[3] else ()) for item in chosen]
    first = 0 if chance.random() < 0.7 else 1
    return [
        _patch(f"{name}.{arch}:0:{3 + rank}.{len(name)}-{len(short)}", f"{name} update", group, severity, cves)
        for rank, (name, group, severity, cves) in enumerate(LINUX)
        if rank == first or chance.random() < 0.6
    ]


def _patch(ident: str, title: str, group: str, severity: str, cves: Sequence[str]) -> dict[str, Any]:
    return {"id": ident, "title": title, "classification": group, "severity": severity, "cve_ids": list(cves)}
