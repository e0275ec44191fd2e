# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The difference between current and declared state, from which ``changed`` and ``diff`` are derived."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, is_dataclass, replace
from enum import Enum
from typing import Any, Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True)
class Change(Generic[T]):
    """The current and the declared state of an object; ``None`` means that it does not exist.

    ``recreate`` is the reason why the object must be recreated instead of updated, ``renew`` the reason why an
    unchanged object is written again; the diff shows both.
    """

    before: T | None
    after: T | None
    recreate: str | None = None
    renew: str | None = None

    @property
    def changed(self) -> bool:
        return self.before != self.after or self.renew is not None

    def to_diff(self, header: str) -> dict[str, Any]:
        """Return an Ansible diff: ``before``/``after`` dictionaries and their headers."""
        note = f" (recreated: {self.recreate})" if self.recreate else ""
        note += f" (renewed: {self.renew})" if self.renew else ""
        return {
            "before_header": header,
            "after_header": header + note,
            "before": to_dict(self.before),
            "after": to_dict(self.after),
        }


def carry_out(
    change: Change[T], *, create: Callable[[T], T], update: Callable[[T], object], remove: Callable[[T], object]
) -> T | None:
    """Carry a change out, making what can't be changed in place again; return the object as it then is."""
    before, after = change.before, change.after
    if before is not None and (after is None or change.recreate):
        remove(before)
        before = None
    if after is None:
        return None
    if before is None:
        return create(after)
    update(after)
    return after


def to_dict(value: Any) -> dict[str, Any]:
    """Turn a dataclass value (or ``None``) into a plain dictionary without members that are ``None``."""
    if value is None:
        return {}
    data = dict(value) if isinstance(value, Mapping) else asdict(value)
    return {key: to_data(item) for key, item in data.items() if item is not None}


def to_data(value: Any) -> Any:
    """Turn a value of dataclasses, mappings, sequences and enumerations into what JSON knows."""
    if is_dataclass(value) and not isinstance(value, type):
        return to_dict(value)
    if isinstance(value, Mapping):
        return {key: to_data(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [to_data(item) for item in value]
    return value.value if isinstance(value, Enum) else value


def merge(before: T, given: Mapping[str, Any]) -> T:
    """Return ``before`` with the members the user gave; ``None`` means "not given", so it is left alone."""
    return replace(before, **{key: value for key, value in given.items() if value is not None})  # type: ignore[type-var]
