# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks of single values against documented limits. Each error names option, value and valid values. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Sized

from ..errors import BadInput

#: Names of baselines, windows, targets and tasks (botocore's service model of SSM).
NAME = r"[a-zA-Z0-9_\-.]{3,128}"
_UUID = r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
_CONCURRENCY = r"([1-9][0-9]*|[1-9][0-9]%|[1-9]%|100%)"
_ERRORS = r"([1-9][0-9]*|0|[1-9][0-9]%|[0-9]%|100%)"


def at_most(option: str, items: Sized | None, limit: int) -> None:
    """Refuse a list of more than ``limit`` entries."""
    if items is not None and len(items) > limit:
        raise BadInput(option, f"{len(items)} entries", f"at most {limit}")


def shorter(option: str, text: str | None, limit: int) -> None:
    """Refuse a text of more than ``limit`` characters."""
    if text is not None and len(text) > limit:
        raise BadInput(option, text, f"at most {limit} characters")


def within(option: str, value: int | None, low: int, high: int, unit: str = "") -> None:
    """Refuse a number outside ``low`` to ``high``, inclusive."""
    if value is not None and not low <= value <= high:
        raise BadInput(option, value, f"{low} to {high}{' ' + unit if unit else ''}")


def one_of(option: str, value: str | None, allowed: Collection[str]) -> None:
    """Refuse a value that is not among ``allowed``."""
    if value is not None and value not in allowed:
        raise BadInput(option, value, "one of " + ", ".join(allowed))


def matches(option: str, value: str | None, pattern: str, expected: str) -> None:
    """Refuse a value that ``pattern`` does not match as a whole."""
    if value is not None and not re.fullmatch(pattern, value):
        raise BadInput(option, value, expected)


def name(option: str, value: str | None) -> None:
    """Refuse an invalid name."""
    matches(option, value, NAME, "3 to 128 letters, digits, underscores, hyphens and dots")


def uuid(option: str, value: str | None, what: str) -> None:
    """Refuse what can't be the ID of an association, window target or window task."""
    matches(option, value, _UUID, f"the ID of {what}, such as 23639a0b-ddbc-4bca-9e72-78d96aaaaaaa")


def document(option: str, value: str | None) -> None:
    """Refuse what SSM does not take as the name or ARN of a document."""
    matches(option, value, r"[a-zA-Z0-9_\-.:/]{3,128}", "the name or ARN of a document")


def document_version(option: str, value: str | None) -> None:
    """Refuse what SSM does not take as the version of a document."""
    matches(option, value, r"\$LATEST|\$DEFAULT|[1-9][0-9]*", "$LATEST, $DEFAULT or a version number")


def bucket(option: str, value: str | None) -> None:
    """Refuse what can't be the name of an S3 bucket; an empty text stands for none."""
    matches(option, value or None, r".{3,63}", "3 to 63 characters")


def alarm(option: str, value: str | None) -> None:
    """Refuse what can't be the name of a CloudWatch alarm; an empty text stands for none."""
    shorter(option, value, 255)
    matches(option, value or None, r"(?!\s*$).+", "the name of an alarm")


def concurrency(option: str, value: str | None) -> None:
    """Refuse an invalid MaxConcurrency, which is a count or a percentage of at most 7 characters."""
    matches(option, value, _CONCURRENCY, "a count such as '10' or a percentage such as '25%'")
    shorter(option, value, 7)


def errors(option: str, value: str | None) -> None:
    """Refuse an invalid MaxErrors, which is a count (0 included) or a percentage of at most 7 characters."""
    matches(option, value, _ERRORS, "a count such as '0' or a percentage such as '10%'")
    shorter(option, value, 7)
