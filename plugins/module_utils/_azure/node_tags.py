# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One tag of many machines: the ``TagPort``. Azure ignores upper and lower case in the names of tags."""

from __future__ import annotations

from collections.abc import Sequence

from .._core.errors import NotFound
from .arm import Arm
from .each import on_each, reason
from .tags import delete_tag, merge_tags, read_tags


class AzureNodeTags:
    """The ``TagPort`` of a subscription's machines. One call for each machine, two to remove a tag."""

    def __init__(self, arm: Arm) -> None:
        self._arm = arm

    def tags(self, ids: Sequence[str], key: str) -> dict[str, str]:
        found, errors = on_each(ids, lambda item: read_tags(self._arm, item))
        for error in errors.values():
            if not isinstance(error, NotFound):
                raise error
        folded = {item: {name.casefold(): value for name, value in tags.items()} for item, tags in found.items()}
        return {item: tags[key.casefold()] for item, tags in folded.items() if key.casefold() in tags}

    def put(self, ids: Sequence[str], key: str, value: str) -> dict[str, str]:
        _done, errors = on_each(ids, lambda item: merge_tags(self._arm, item, {key: value}))
        return {item: reason(error) for item, error in errors.items()}

    def drop(self, ids: Sequence[str], key: str) -> dict[str, str]:
        _done, errors = on_each(ids, lambda item: delete_tag(self._arm, item, key))
        return {item: reason(error) for item, error in errors.items() if not isinstance(error, NotFound)}
