# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The port of all media: send one message, once."""

from __future__ import annotations

import os
from typing import Any, Protocol

from ...module_utils._core.errors import PatchtideError
from ...module_utils._core.gate.health_rules import clean, expand
from .message import Message

#: A receiver asks for at most so many seconds of patience within a run; a later run tries again.
_LONGEST_WAIT = 30.0
#: Answers of web services below 500 after which another attempt can help.
REPEATABLE = (408, 425, 429)


class NotSent(PatchtideError):
    """A message was not accepted, or nobody knows whether it was.

    :param again: whether another attempt can help. :param wait: seconds that the receiver asks for.
    """

    code = "NotSent"

    def __init__(self, text: str, secrets: tuple[str, ...] = (), *, again: bool, wait: float = 0) -> None:
        super().__init__(clean(text, secrets))
        self.again = again
        self.wait = wait


class Sender(Protocol):
    """One medium and one receiver."""

    @property
    def shown(self) -> str:
        """The receiver as people may see it, without secrets."""

    def send(self, message: Message, timeout: float) -> str:
        """Send a message once; return a remark, such as receivers that were refused while others were not.

        :param timeout: seconds for each answer. :raises NotSent: it was not accepted.
        """


def secret(text: str, what: str) -> str:
    """Return a value of the policy with ``${NAME}`` replaced from the environment.

    :raises BadInput: there is no such variable.
    """
    return expand(text, os.environ, what)


def cut_bytes(text: str, limit: int) -> str:
    """Return a text of at most ``limit`` bytes of UTF-8, with an ellipsis where it was cut."""
    data = text.encode("utf-8", "replace")
    return data.decode() if len(data) <= limit else data[: limit - 3].decode(errors="ignore") + "…"


def retry_after(headers: Any) -> float:
    """Return the seconds of ``Retry-After``, bounded; 0 if it is a date or missing."""
    text = str((headers or {}).get("Retry-After") or "")
    return min(float(text), _LONGEST_WAIT) if text.isdecimal() and len(text) < 8 else 0.0
