# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The connection to Azure of what runs on the controller without options for it: the environment's."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, TypeVar

from ..module_utils._core.azure_ids import parts
from .workers import gather

T = TypeVar("T")
R = TypeVar("R")

if TYPE_CHECKING:
    from ..module_utils._azure.tenants import Tenants


def env_tenants() -> Tenants:
    """Return the connections of the environment's login. :raises BadInput: a variable is not valid."""
    from ..module_utils._azure.credentials import login_of
    from ..module_utils._azure.tenants import Tenants

    return Tenants(login_of(os.environ))


def by_subscription(
    machines: Iterable[T], node_id: Callable[[T], str], work: Callable[[str, Sequence[T]], Sequence[R]]
) -> list[R]:
    """Return what ``work`` returns for the machines of each subscription, all subscriptions beside one another."""
    found: dict[str, list[T]] = {}
    for machine in machines:
        found.setdefault(parts(node_id(machine))[0], []).append(machine)
    return [row for rows in gather(lambda item: work(*item), list(found.items())) for row in rows]
