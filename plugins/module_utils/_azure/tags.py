# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tags of a resource, by the tags API, which never replaces other tags. The update of a machine would."""

from __future__ import annotations

from collections.abc import Mapping

from .._core.errors import ServiceError
from .._core.fleet.azure import to_tags
from .arm import Arm

API = "2022-09-01"


def read_tags(arm: Arm, node_id: str) -> dict[str, str]:
    """Return the tags of a resource now. Resource Graph may be hours behind (ansible-collections/azure issue 1994)."""
    name = node_id.rpartition("/")[2]
    answer = arm.read(f"{node_id}/providers/Microsoft.Resources/tags/default", API, f"read the tags of {name}")
    return to_tags((answer.get("properties") or {}).get("tags"))


def merge_tags(arm: Arm, node_id: str, tags: Mapping[str, str]) -> dict[str, str]:
    """Set tags, keep all others, and return the tags as the service then has them.

    :raises ServiceError: it was refused, or a tag does not have its value afterwards.
    """
    found = _patch(arm, node_id, "Merge", tags)
    folded = {key.casefold(): value for key, value in found.items()}
    for name, value in tags.items():
        if folded.get(name.casefold()) != value:
            raise ServiceError(f"tag {node_id.rpartition('/')[2]}", "NotWritten", f"the tag {name!r} has another value")
    return found


def delete_tag(arm: Arm, node_id: str, name: str) -> None:
    """Remove a tag, in whatever spelling. A resource without it is left alone. :raises ServiceError: it was refused."""
    found = {key: value for key, value in read_tags(arm, node_id).items() if key.casefold() == name.casefold()}
    if found:
        _patch(arm, node_id, "Delete", found)


def respell_tags(arm: Arm, node_id: str, spelled: Mapping[str, str], tags: Mapping[str, str]) -> dict[str, str]:
    """Give tags another spelling: a merge alone keeps the old one (azure-rest-api-specs issue 8982).

    :param spelled: new name → old name. :param tags: the tags before.
    """
    _patch(arm, node_id, "Delete", {old: tags[old] for old in spelled.values()})
    return merge_tags(arm, node_id, {new: tags[old] for new, old in spelled.items()})


def _patch(arm: Arm, node_id: str, operation: str, tags: Mapping[str, str]) -> dict[str, str]:
    body = {"operation": operation, "properties": {"tags": dict(tags)}}
    path = f"{node_id}/providers/Microsoft.Resources/tags/default"
    answer = arm.write("PATCH", path, API, body, f"tag {node_id.rpartition('/')[2]}")
    if answer.status == 202:  # later versions of the API
        answer = arm.wait(answer, f"tag {node_id.rpartition('/')[2]}")
    return to_tags((answer.data.get("properties") or {}).get("tags"))
