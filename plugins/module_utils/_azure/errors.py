# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Converts the exceptions of azure-core and azure-identity to the errors of the core."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from .._core.errors import AccessDenied, NotFound, PatchtideError, ServiceError

try:
    from azure.core.exceptions import AzureError, ClientAuthenticationError, HttpResponseError

    HAS_SDK = True
except ImportError:  # reported by sdk_missing()
    HAS_SDK = False

    class AzureError(Exception):  # type: ignore[no-redef]
        """Replacement if azure-core is not installed."""

    class HttpResponseError(AzureError):  # type: ignore[no-redef]
        """Replacement if azure-core is not installed."""

    class ClientAuthenticationError(HttpResponseError):  # type: ignore[no-redef]
        """Replacement if azure-core is not installed."""


#: Answers of Azure Resource Manager that say nothing about whether the request was carried out.
_UNCLEAR = frozenset({408, 500, 502, 503, 504})


class Throttled(ServiceError):
    """Too many requests; nothing was done. ``seconds`` is how long the service asks to wait, 0 if it does not say."""

    seconds: float = 0.0


class Lost(ServiceError):
    """No clear answer: the request may or may not have been carried out."""


@contextmanager
def azure_errors(action: str) -> Iterator[None]:
    """Run one call. A failure raises ``Could not <action>: <code>: <message>``.

    :param action: a verb phrase such as ``"list the machines of subscription …"``.
    """
    try:
        yield
    except PatchtideError:
        raise
    except ClientAuthenticationError as error:
        raise AccessDenied(action, "Authentication", _first_line(error)) from error
    except AzureError as error:
        raise Lost(action, type(error).__name__, _first_line(error)) from error


def refusal(action: str, status: int, headers: Mapping[str, str], text: str) -> ServiceError:
    """Return the error of an answer with a status of 400 or more.

    Azure Resource Manager answers ``{"error": {"code": str, "message": str}}`` (Microsoft Learn, "Troubleshoot common
    Azure deployment errors"); what is not of this form is shown as it is, cut.
    """
    code, message = _parts(text)
    code = code or f"HTTP{status}"
    if status == 429:
        error = Throttled(action, code, message)
        error.seconds = retry_after(headers)
        return error
    if status in (401, 403):
        return AccessDenied(action, code, message)
    if status == 404:
        return NotFound(action, code, message)
    return (Lost if status in _UNCLEAR else ServiceError)(action, code, message)


def retry_after(headers: Mapping[str, str], otherwise: float = 0.0) -> float:
    """Return the seconds of the header ``Retry-After``. A date, as HTTP allows, counts as not given."""
    value = {str(key).lower(): item for key, item in headers.items()}.get("retry-after", "")
    try:
        return min(max(float(value), 0.0), 3600.0)
    except ValueError:
        return otherwise


def sdk_missing() -> str:
    """Return what to install if Azure's libraries are missing, else ``""``."""
    return "" if HAS_SDK else "pip install azure-identity azure-core"


def _parts(text: str) -> tuple[str, str]:
    try:
        body: Any = json.loads(text)
    except ValueError:
        body = None
    error = body.get("error") if isinstance(body, Mapping) else None
    if not isinstance(error, Mapping):
        return "", " ".join(text.split())[:300] or "no message"
    inner = [item for item in error.get("details") or () if isinstance(item, Mapping)]
    message = str(error.get("message") or (inner[0].get("message") if inner else "") or "no message")
    return str(error.get("code") or "")[:100], " ".join(message.split())[:1000]


def _first_line(error: Exception) -> str:
    return next((line.strip() for line in str(error).splitlines() if line.strip()), "no message")[:1000]
