# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Finds typing errors in names of Regions, which would otherwise show as endpoints that cannot be reached."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from .._core.errors import BadInput
from .._core.fleet.regions import meant_region
from .models import HAS_SDK, loader


@cache
def _known() -> frozenset[str]:
    """Return the Regions of all partitions that this version of botocore knows."""
    return frozenset(
        region for partition in loader().load_data("endpoints")["partitions"] for region in partition["regions"]
    )


def check_regions(regions: Sequence[str], option: str = "regions") -> None:
    """:raises BadInput: a name is not a Region, and resembles one."""
    for region in regions if HAS_SDK else ():
        if meant := meant_region(region, _known()):
            raise BadInput(option, region, f"a Region (did you mean {meant}?)")
