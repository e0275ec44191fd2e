# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""All mistakes of a policy in one error, one line each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ..errors import BadInput, PatchtideError, shown
from ..text import plain

_LONGEST_VALUE = 80


@dataclass(frozen=True, slots=True, kw_only=True)
class Mistake:
    """One mistake: its path (``waves[1].size``), the value, and what is expected.

    ``value`` is ``None`` where nothing stands; ``line`` is the line in the file, counted from 1, where it is known;
    ``problem`` says what is wrong where "is not valid" says too little.
    """

    path: str
    value: Any
    expected: str
    line: int | None = None
    problem: str = "is not valid"

    @classmethod
    def of(cls, error: BadInput, path: str | None = None) -> Mistake:
        """Return the mistake that a check raised as an error."""
        return cls(path=path or error.option, value=error.value, expected=error.expected)

    def __str__(self) -> str:
        where = f"line {self.line}: {plain(self.path)}" if self.line else plain(self.path)
        if self.value is None:
            return f"{where} is missing, expected {self.expected}"
        return f"{where}: {shown(self.value, _LONGEST_VALUE)} {self.problem}, expected {self.expected}"


class PolicyError(PatchtideError):
    """The policy is invalid. ``mistakes`` contains all mistakes, in the order of their lines.

    :param source: the file, or "the policy".
    """

    code = "PolicyError"

    def __init__(self, source: str, mistakes: Sequence[Mistake]) -> None:
        self.source = source
        self.mistakes = tuple(mistakes)
        count = "1 mistake" if len(mistakes) == 1 else f"{len(mistakes)} mistakes"
        self.summary = f"{source} has {count}"
        super().__init__("\n".join([f"{self.summary}:", *(f"  {mistake}" for mistake in mistakes)]))

    def to_dict(self) -> dict[str, Any]:
        listed = [
            {"path": item.path, "value": item.value, "expected": item.expected, "line": item.line}
            for item in self.mistakes
        ]
        return {"code": self.code, "message": self.summary, "mistakes": listed}
