# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Why a script on a directly reached host returned no answer, and whether to retry it."""

from __future__ import annotations

from typing import ClassVar

from ...module_utils._core.errors import PatchtideError

#: Maximum length of a host's text in a message, in characters.
TEXT = 500


class HostError(PatchtideError):
    """A host gave no answer. ``retryable``: a later try may succeed. ``began``: the script ran or may have run."""

    retryable: ClassVar[bool] = False
    began: ClassVar[bool] = False

    def __init__(self, host: str, text: str) -> None:
        super().__init__(f"{host}: {text.strip()[-TEXT:]}")
        self.host = host


class BadConnection(HostError):
    """The host's connection settings can't be used: another plugin than ssh and local, or a variable that fails."""

    code = "BadConnection"


class AccessRefused(HostError):
    """The host refused the login or the change of user. Repeated tries may lock the account."""

    code = "AccessRefused"


class Unreachable(HostError):
    """No connection, or it broke. Whether the script ran is unknown if it broke late."""

    code = "Unreachable"
    retryable = True
    began = True


class Interrupted(HostError):
    """The script began, and how it ended is unknown."""

    code = "Interrupted"
    retryable = True
    began = True


class TimedOut(HostError):
    """No answer in time; the local process was killed, but the script may continue on the host."""

    code = "TimedOut"
    retryable = True
    began = True
