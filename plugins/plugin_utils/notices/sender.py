# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The port of all media: send one message, once."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, Protocol
from urllib.error import HTTPError

from ansible.module_utils.urls import open_url

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


def post(
    shown: str,
    url: str,
    body: bytes,
    headers: Mapping[str, str],
    timeout: float,
    secrets: tuple[str, ...] = (),
    *,
    only: int = 0,
    login: Mapping[str, Any] | None = None,
) -> None:
    """Send JSON to a web service, once, without following redirects.

    :param shown: the receiver as people may see it. :param secrets: texts that no error may show.
    :param only: the status that alone means success; 0: each from 200 to 299. :param login: arguments of ``open_url``.
    :raises NotSent: the service did not accept it, or gave no answer.
    """
    try:
        with open_url(
            url,
            data=body,
            headers=dict(headers),
            method="POST",
            timeout=timeout,
            follow_redirects="none",
            http_agent="patchtide.hybrid",
            use_netrc=False,
            **(login or {}),
        ) as reply:
            status, wait = int(reply.status), 0.0
    except HTTPError as error:
        with error:
            status, wait = int(error.code), retry_after(error.headers)
    except Exception as error:  # sockets, TLS and HTTP have no common error
        said = str(error) if isinstance(error, OSError) else type(error).__name__
        raise NotSent(f"{shown}: {said}", secrets, again=True) from None
    if status != only if only else not 200 <= status < 300:
        again = status >= 500 or status in REPEATABLE
        raise NotSent(f"{shown} answered {status}{f', not {only}' if only else ''}", again=again, wait=wait)
