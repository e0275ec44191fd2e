# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tags: which key says what of a node, what stays, what goes. ``aws:`` tags belong to AWS and are never touched."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from .errors import BadInput

MAX_TAGS = 50
_CHARACTERS = re.compile(r"[\w\s.:/=+\-@]*")


#: The spellings with a space, which Systems Manager and ``Custom:PatchInformation`` also have.
SPACED_PATCH_GROUP, SPACED_MAINTENANCE_WINDOW = "Patch Group", "Maintenance Window"


@dataclass(frozen=True, slots=True, kw_only=True)
class TagKeys:
    """Keys of the tags that say what a node is; an empty one is not looked at."""

    patch_group: str = "PatchGroup"
    maintenance_window: str = "MaintenanceWindow"
    application: str = "Application"
    owner: str = "Owner"
    environment: str = "Environment"
    cluster: str = "Cluster"
    patch_now: str = ""
    last_patched: str = ""


def merge_tags(before: Mapping[str, str], wanted: Mapping[str, str] | None, purge: bool) -> dict[str, str]:
    """Return the tags as they shall be; ``wanted=None`` leaves them alone, ``purge`` removes what is not wanted."""
    if wanted is None:
        return dict(before)
    kept = {key: value for key, value in before.items() if not purge or key.startswith("aws:")}
    return {**kept, **{key: str(value) for key, value in wanted.items()}}


def tag_steps(before: Mapping[str, str], after: Mapping[str, str]) -> tuple[dict[str, str], list[str]]:
    """Return (tags to set, keys to remove) that lead from ``before`` to ``after``."""
    to_set = {key: value for key, value in after.items() if before.get(key) != value}
    return to_set, sorted(key for key in before if key not in after)


def check_tags(tags: Mapping[str, str], option: str = "tags", *, any_text: bool = False) -> None:
    """Check what SSM would refuse, or with ``any_text`` EC2, which takes any character.

    Tags that begin with ``aws:`` are AWS's own and already there, so they pass.

    :raises BadInput: with the option's path.
    """
    check_tag_count(tags, option)
    for key, value in _own(tags).items():
        if not 1 <= len(key) <= 128 or not (any_text or _CHARACTERS.fullmatch(key)):
            raise BadInput(option, key, "a key of 1 to 128 letters, digits, spaces and . : / = + - @ _")
        if len(value) > 256 or not (any_text or _CHARACTERS.fullmatch(value)):
            raise BadInput(f"{option}.{key}", value, "up to 256 letters, digits, spaces and . : / = + - @ _")


def check_tag_count(tags: Mapping[str, str], option: str = "tags") -> None:
    """Refuse more tags than a resource can have; AWS's own do not count."""
    if len(_own(tags)) > MAX_TAGS:
        raise BadInput(option, f"{len(_own(tags))} tags", f"at most {MAX_TAGS}")


def _own(tags: Mapping[str, str]) -> dict[str, str]:
    return {key: value for key, value in tags.items() if not key.startswith("aws:")}
