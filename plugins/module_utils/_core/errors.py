# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Errors of the core. Each renders itself; only the outermost layer converts it to an Ansible failure."""

from __future__ import annotations

from typing import Any

from .text import plain


class PatchtideError(Exception):
    """Base of all errors of this collection. ``str()`` is for the operator; ``to_dict()`` for a result."""

    code = "Error"

    def to_dict(self) -> dict[str, Any]:
        """Return ``{"code": str, "message": str}``."""
        return {"code": self.code, "message": str(self)}


def shown(value: object, longest: int = 500) -> str:
    """Return a value as messages show it: its ``repr``, shortened, safe for a terminal."""
    try:
        text = plain(repr(value))
    except (ValueError, RecursionError):  # Python writes no number of more than 4,300 digits
        return f"a {type(value).__name__} that is too large to show"
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


class BadInput(PatchtideError):
    """An option has an invalid value.

    :param option: option name, or a path such as ``waves[1].size``.
    :param value: the value.
    :param expected: description of valid values that completes the sentence "expected …".
    """

    code = "BadInput"

    def __init__(self, option: str, value: object, expected: str) -> None:
        super().__init__(f"{plain(option)}: {shown(value)} is not valid, expected {expected}")
        self.option = option
        self.value = value
        self.expected = expected


class ServiceError(PatchtideError):
    """An API call was rejected or failed; ``code`` is the error code of the service."""

    def __init__(self, action: str, code: str, message: str) -> None:
        super().__init__(f"Could not {action}: {code}: {message}")
        self.action = action
        self.code = code
        self.detail = message


class AccessDenied(ServiceError):
    """The caller lacks a permission, has no credentials or cannot assume a role."""


class NotFound(ServiceError):
    """The requested resource does not exist."""


class Conflict(PatchtideError):
    """The request conflicts with an existing resource that must not be replaced without consent."""

    code = "Conflict"


class TakenOver(PatchtideError):
    """Another controller continued the rollout while this one was stopped or asleep; this one must do nothing more."""

    code = "TakenOver"


class ClockSkew(PatchtideError):
    """The controller's clock is not the service's, so that no window or deadline can be trusted."""

    code = "ClockSkew"


class JournalError(PatchtideError):
    """A journal is damaged, or an event does not fit the rollout's state."""

    code = "JournalError"


class OtherSchema(PatchtideError):
    """Another version of this collection wrote a file; nothing is converted.

    :param what: ``plan`` or ``journal``.
    :param found: its schema, ``None`` if it names none.
    :param reads: the schema that this version reads.
    """

    code = "OtherSchema"

    def __init__(self, what: str, found: str | None, reads: str) -> None:
        has = f"the schema {found!r}" if found else "no schema"
        super().__init__(
            f"The {what} has {has}, and this version of patchtide.hybrid reads {reads}. "
            "Finish the rollout with the version that wrote it, or make a new plan."
        )
        self.what = what
        self.found = found
        self.reads = reads
