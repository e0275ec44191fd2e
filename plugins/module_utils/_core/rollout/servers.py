# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What patch servers give to a wave when it begins. Pure.

An update gets to the first wave because the policy names it, and to a later one because an earlier wave has installed
it with proof: what nobody has tried is not approved, whatever the policy names.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..model import Status
from ..work.repositories.servers import WSUS, PatchServer
from .state import Rollout, final_results


def to_promote(servers: Sequence[PatchServer], waves: Sequence[str], state: Rollout, wave: str) -> list[dict[str, Any]]:
    """Return what each server gives to a wave.

    Each step has ``kind``, ``address`` and ``target``; of a WSUS server also ``kbs`` to approve, ``not_proven``, those
    that no earlier wave has proven, and ``later``, groups that must not have them yet; of a Satellite
    ``organization``, ``content_view`` and ``version``.

    :param waves: the names of the policy's waves, in order. A plan lacks those that have no nodes.
    """
    return [
        _step(item, [name for name in waves if name in item.targets], state, wave)
        for item in servers
        if wave in item.targets
    ]


def _step(server: PatchServer, waves: Sequence[str], state: Rollout, wave: str) -> dict[str, Any]:
    step = {"kind": server.kind, "address": server.address, "target": server.targets[wave]}
    if server.kind != WSUS:
        names = ("organization", "content_view", "version")
        return {**step, **{name: getattr(server, name) for name in names}}
    before, after = waves[: waves.index(wave)], waves[waves.index(wave) + 1 :]
    proven = _proven(state, before) if before else set(server.kbs)
    kbs = sorted(proven.intersection(server.kbs) if server.kbs else proven)
    not_proven = sorted(set(server.kbs) - proven)
    return {**step, "kbs": kbs, "not_proven": not_proven, "later": [server.targets[name] for name in after]}


def _proven(state: Rollout, waves: Sequence[str]) -> set[str]:
    """Return the KBs that nodes of these waves show as installed after work that went well."""
    good = (item for item in final_results(state, waves) if Status(item["status"]).is_good)
    return {kb for item in good for name in item.get("installed") or () if (kb := str(name).upper()).startswith("KB")}
