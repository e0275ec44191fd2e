# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads JSON over HTTPS from the service in which people approve. It follows no redirect with its secret."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

from ansible.module_utils.urls import open_url

from ...module_utils._core.errors import PatchtideError
from ...module_utils._core.text import plain

_LARGEST = 8 << 20
_SECONDS = 30
Fetch = Callable[[str], Any]


class Unreadable(PatchtideError):
    """The service can't be read, so it is unknown whether an approval is valid."""

    code = "Unreadable"


def to_bearer(token_file: Path) -> dict[str, str]:
    """Return the header of a token. :raises OSError: its file can't be read."""
    return {"Authorization": f"Bearer {token_file.read_text('utf-8').strip()}"}


def to_basic(user: str, password_file: Path) -> dict[str, str]:
    """Return the header of a user's password. :raises OSError: its file can't be read."""
    given = f"{user}:{password_file.read_text('utf-8').strip()}"
    return {"Authorization": f"Basic {base64.b64encode(given.encode()).decode('ascii')}"}


def fetch_from(url: str, login: Callable[[], Mapping[str, str]], ca_file: str | None = None) -> Fetch:
    """Return a function that reads a path of a service; the account needs only read access.

    :param login: returns the headers that log in; asked before every request, so that a secret can be replaced.
    """

    def fetch(path: str) -> Any:
        try:
            answer = open_url(
                urljoin(url, path),
                headers={**login(), "Accept": "application/json"},
                timeout=_SECONDS,
                ca_path=ca_file,
                follow_redirects="none",
                http_agent="patchtide.hybrid",
            )
            data = answer.read(_LARGEST + 1)
        except (OSError, ValueError) as error:
            raise Unreadable(f"Could not read {url}{path}: {plain(error)[:200]}") from error
        if len(data) > _LARGEST:
            raise Unreadable(f"{url}{path} answers with more than {_LARGEST} bytes")
        try:
            return json.loads(data)
        except (ValueError, RecursionError):
            raise Unreadable(f"{url}{path} does not answer with JSON") from None

    return fetch
