# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What real package managers answered: apt 2.6, and Debian's dnf 4.14 and zypper 1.14 on look-alikes.

Each host had ``toy`` 1.0, ``held`` 1 on hold or locked, and ``bad`` 1, whose update has a script that fails; a security
update of ``toy`` and ordinary ones of the others were published. Installed were those of ``toy`` and ``bad``. Parts are
as the scripts print them: exit code, stdout, stderr.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

Parts = Mapping[str, tuple[int, Sequence[str]]]


def document(manager: str, parts: Parts, **more: tuple[int, Sequence[str]]) -> str:
    """Return a script's output; ``more`` parts take the place of those of the same name."""
    found: dict[str, Any] = {
        name: {"rc": rc, "cut": False, "out": list(lines), "err": []} for name, (rc, lines) in {**parts, **more}.items()
    }
    return json.dumps({"packages": 1, "manager": manager, "parts": found}, separators=(",", ":")) + "\n"


LISTS: Mapping[str, Parts] = {
    "apt": {
        "refresh": (0, []),
        "simulate": (
            0,
            [
                "Inst bad [1] (2 Debian:stable-updates [all])",
                "Inst toy [1.0] (1.2 Debian:stable-updates [all])",
                "Conf bad (2 Debian:stable-updates [all])",
                "Conf toy (1.2 Debian:stable-updates [all])",
            ],
        ),
        "held": (0, ["held"]),
        "newer": (
            0,
            [
                "P bad all 1 2",
                "V 2 500 -",
                "S file:/srv/updates ./ Packages",
                "P held all 1 2",
                "V 2 500 -",
                "S file:/srv/security ./ Packages",
                "P toy all 1.0 1.2",
                "V 1.2 500 -",
                "S file:/srv/updates ./ Packages",
                "V 1.1 500 -",
                "S file:/srv/security ./ Packages",
            ],
        ),
        "sources": (
            0,
            [
                "file:/srv/updates ./ Packages|o=Debian,a=stable-updates,n=updates,l=Debian,c=",
                "file:/srv/security ./ Packages|o=Debian,a=stable-security,n=stable-security,l=Debian-Security,c=",
            ],
        ),
        "states": (1, []),
        "broken": (0, []),
        "kernels": (0, []),
        "blacklist": (0, []),
        "reboot": (0, ["reboot-required|no|", "kernel|unknown|no kernel is installed"]),
    },
    "dnf": {
        "refresh": (0, []),
        "updates": (100, ["bad.noarch 2-1 base", "toy.noarch 1.2-1 base"]),
        "everything": (100, ["bad.noarch 2-1 base", "held.noarch 2-1 base", "toy.noarch 1.2-1 base"]),
        "security": (0, ["RHSA-1 Important/Sec. toy-1.2-1.noarch"]),
        "metadata": (0, ["base yes"]),
        "locks": (0, ["held-0:1-1.*"]),
        "states": (0, []),
        "broken": (0, []),
        "kernels": (0, []),
        "modules": (0, []),
        "reboot": (0, ["needs-restarting|no|", "kernel|unknown|no kernel is installed"]),
    },
    "zypper": {
        "refresh": (
            0,
            [
                "Retrieving repository 'sle' metadata [.done]",
                "Building repository 'sle' cache [....done]",
                "All repositories have been refreshed.",
            ],
        ),
        "updates": (
            0,
            [
                '<update kind="package" name="bad" edition="2-1" arch="noarch" edition-old="1-1">',
                '<source url="file:/srv/sle" alias="sle"/>',
                '<update kind="package" name="toy" edition="1.2-1" arch="noarch" edition-old="1.0-1">',
                '<source url="file:/srv/sle" alias="sle"/>',
            ],
        ),
        "everything": (
            0,
            [
                '<update kind="package" name="bad" edition="2-1" arch="noarch" edition-old="1-1">',
                '<source url="file:/srv/sle" alias="sle"/>',
                '<update kind="package" name="held" edition="2-1" arch="noarch" edition-old="1-1">',
                '<source url="file:/srv/sle" alias="sle"/>',
                '<update kind="package" name="toy" edition="1.2-1" arch="noarch" edition-old="1.0-1">',
                '<source url="file:/srv/sle" alias="sle"/>',
            ],
        ),
        "patches": (
            0,
            [
                '<update kind="patch" name="SUSE-1" status="needed" category="security" severity="important">',
                '<source url="file:/srv/sle" alias="sle"/>',
                '<issue-date time_t="1767225600" text="2026-01-01T00:00:00Z"/>',
                "<issue-list>",
                '<issue type="cve" id="CVE-2026-1">',
            ],
        ),
        "locks": (0, ["held"]),
        "metadata": (0, ["sle yes"]),
        "repositories": (
            0,
            [
                "# | Alias | Name | Enabled | GPG Check | Refresh | URI",
                "--+-------+------+---------+-----------+---------+--------------",
                "1 | sle | sle  | Yes | (  ) No | No | file:/srv/sle",
            ],
        ),
        "states": (0, []),
        "broken": (0, []),
        "kernels": (0, []),
        "reboot": (0, ["needs-rebooting|no|", "kernel|unknown|no kernel is installed"]),
    },
}
PROOFS: Mapping[str, Parts] = {
    "apt": {
        "gone": (0, ["bad all 1 ii", "toy all 1.0 ii"]),
        "came": (0, ["bad all 2 iF", "toy all 1.2 ii"]),
        "states": (0, ["bad all 2 iF", "toy all 1.2 ii"]),
        "steps": (
            0,
            [
                "begin|1|toy.all:1.2",
                "log|1|  toy",
                "log|1|Unpacking toy (1.2) over (1.0) ...",
                "log|1|Setting up toy (1.2) ...",
                "end|1|0",
                "begin|2|bad.all:2",
                "log|2|dpkg: error processing package bad (--configure):",
                "log|2| installed bad package post-installation script subprocess returned error exit status 1",
                "log|2|Errors were encountered while processing:",
                "log|2|E: Sub-process /usr/bin/dpkg returned an error code (1)",
                "log|2|  bad",
                "log|2|Unpacking bad (2) over (1) ...",
                "log|2|Setting up bad (2) ...",
                "log|2|dpkg: error processing package bad (--configure):",
                "log|2| installed bad package post-installation script subprocess returned error exit status 1",
                "log|2|Errors were encountered while processing:",
                "log|2| bad",
                "log|2|E: Sub-process /usr/bin/dpkg returned an error code (1)",
                "end|2|100",
                "done",
            ],
        ),
        "broken": (
            1,
            [
                "not completely installed: bad",
                "The following packages are only half configured, probably due to problems",
                "configuring them the first time.  The configuration should be retried using",
                "dpkg --configure <package> or the configure menu option in dselect:",
                " bad toy",
            ],
        ),
        "reboot": (0, ["reboot-required|no|", "kernel|unknown|no kernel is installed"]),
        "was": (0, ["kernel_installed|", "kernel|6.1.0-30-amd64", "system|Debian GNU/Linux 12 (bookworm)"]),
        "is": (0, ["kernel_installed|", "kernel|6.1.0-30-amd64", "system|Debian GNU/Linux 12 (bookworm)"]),
    },
    "dnf": {
        "gone": (0, ["bad noarch 1-1 ii", "toy noarch 1.0-1 ii"]),
        "came": (0, ["bad noarch 2-1 ii", "toy noarch 1.2-1 ii"]),
        "states": (0, ["bad noarch 2-1 ii", "toy noarch 1.2-1 ii"]),
        "verify": (0, []),
        "twice": (0, []),
        "scripts": (
            0,
            ["bad|noarch|2-1|1795774051|warning: %post(bad-2-1.noarch) scriptlet failed, exit status 1"],
        ),
        "steps": (
            0,
            [
                "begin|1|toy.noarch:1.2-1",
                "log|1|  Upgrading : toy-1.2-1.noarch 1/2",
                "log|1|Upgraded:",
                "log|1|  toy-1.2-1.noarch",
                "log|1|Complete!",
                "end|1|0",
                "begin|2|bad.noarch:2-1",
                "log|2|Error in POSTIN scriptlet in rpm package bad",
                "log|2|  Running scriptlet: bad-2-1.noarch 1/2",
                "log|2|warning: %post(bad-2-1.noarch) scriptlet failed, exit status 1",
                "log|2|warning: %post(bad-2-1.noarch) scriptlet failed, exit status 1",
                "log|2|Upgraded:",
                "log|2|  bad-2-1.noarch",
                "log|2|Complete!",
                "log|2|Error in POSTIN scriptlet in rpm package bad",
                "end|2|0",
                "done",
            ],
        ),
        "broken": (0, []),
        "reboot": (0, ["needs-restarting|no|", "kernel|unknown|no kernel is installed"]),
        "was": (0, ["kernel_installed|", "kernel|6.1.0-30-amd64", "system|"]),
        "is": (0, ["kernel_installed|", "kernel|6.1.0-30-amd64", "system|"]),
    },
    "zypper": {
        "gone": (0, ["bad noarch 1-1 ii", "toy noarch 1.0-1 ii"]),
        "came": (0, ["bad noarch 2-1 ii", "toy noarch 1.2-1 ii"]),
        "states": (0, ["bad noarch 2-1 ii"]),
        "applied": (
            0,
            [
                "Loading repository data...",
                "Reading installed packages...",
                "Repository | Name | Category | Severity  | Interactive | Status  | Since | Summary",
                "-----------+--------+----------+-----------+-------------+---------+------------+--------",
                "sle | SUSE-1 | security | important | --- | applied | 2026-11-27 | SUSE-1",
            ],
        ),
        "verify": (0, []),
        "twice": (0, []),
        "scripts": (
            0,
            ["bad|noarch|2-1|1795774051|warning: %post(bad-2-1.noarch) scriptlet failed, exit status 1"],
        ),
        "steps": (
            0,
            [
                "begin|1|patch:SUSE-1",
                "log|1|(1/1) Installing: toy-1.2-1.noarch [......done]",
                "end|1|0",
                "begin|2|bad.noarch:2-1",
                "log|2|warning: %post(bad-2-1.noarch) scriptlet failed, exit status 1",
                "log|2|(1/1) Installing: bad-2-1.noarch [......done]",
                "log|2|warning: %post(bad-2-1.noarch) scriptlet failed, exit status 1",
                "end|2|107",
                "done",
            ],
        ),
        "broken": (0, []),
        "reboot": (0, ["needs-rebooting|no|", "kernel|unknown|no kernel is installed"]),
        "was": (0, ["kernel_installed|", "kernel|6.1.0-30-amd64", "system|"]),
        "is": (0, ["kernel_installed|", "kernel|6.1.0-30-amd64", "system|"]),
    },
}
