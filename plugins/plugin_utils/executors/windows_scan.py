# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A search for missing updates on a Windows host, as a scan: of the rollout, and of the estate before it."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any, Protocol

from ...module_utils._core.work.packages.listing import PackageRules
from ...module_utils._core.work.windows.host_state import read_state
from ...module_utils._core.work.windows.results import scan_result
from ...module_utils._core.work.windows.selection import UpdateRules
from ...module_utils._core.work.windows.state_script import to_state_script
from ...module_utils._core.work.windows.updates import read_updates

#: Time limits in seconds of a look at a host, and of a search, which takes minutes on old servers.
LOOK_SECONDS, SEARCH_SECONDS = 120, 1800


class Hosts(Protocol):
    """PowerShell and win_updates on hosts, by inventory name."""

    def run(self, host: str, script: str, *, timeout: float) -> str:
        """Run a script and return what it prints. :raises HostError: there is no answer."""

    def updates(
        self,
        host: str,
        options: Mapping[str, Any],
        *,
        timeout: float,
        stop: threading.Event,
        begun: threading.Event | None = None,
    ) -> Any:
        """Return the result of win_updates. :raises HostError: it could not be called, or nobody knows its result."""


def scan_host(hosts: Hosts, host: str, rules: PackageRules, updates: UpdateRules) -> dict[str, Any]:
    """Return what is missing on a host. :raises PatchtideError: it gave no answer, or one that makes no sense."""
    options = {**updates.search, "state": "searched", "skip_optional": True}
    found = read_updates(hosts.updates(host, options, timeout=SEARCH_SECONDS, stop=threading.Event()))
    state = read_state(hosts.run(host, to_state_script("look", "scan"), timeout=LOOK_SECONDS))
    return scan_result(found, state, rules, updates)
