# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Converts botocore's exceptions to the errors of the core."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from .._core.errors import AccessDenied, NotFound, ServiceError

try:
    from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError
except ImportError:  # AnsibleAWSModule reports the missing library

    class ClientError(Exception):  # type: ignore[no-redef]
        """Replacement if botocore is not installed."""

    class BotoCoreError(Exception):  # type: ignore[no-redef]
        """Replacement if botocore is not installed."""

    class NoCredentialsError(BotoCoreError):  # type: ignore[no-redef]
        """Replacement if botocore is not installed."""


_DENIED = frozenset(
    {
        "AccessDenied",
        "AccessDeniedException",
        "UnauthorizedOperation",
        "AuthFailure",
        "UnrecognizedClientException",
        "InvalidClientTokenId",
        "ExpiredToken",
        "ExpiredTokenException",
        "RequestExpired",  # EC2 (user guide, common client error codes)
        "OptInRequired",
    }
)
_MISSING = frozenset({"DoesNotExistException", "ResourceNotFoundException", "InvalidResourceId", "ParameterNotFound"})


@contextmanager
def aws_errors(action: str) -> Iterator[None]:
    """Run one API call. A failure raises ``Could not <action>: <code>: <message>``.

    :param action: a verb phrase such as ``"create patch baseline web-prod"``.
    """
    try:
        yield
    except ClientError as error:
        detail = error.response.get("Error", {})
        code, message = detail.get("Code", "Unknown"), detail.get("Message", str(error))
        if code in _DENIED:
            raise AccessDenied(action, code, message) from error
        if code in _MISSING:
            raise NotFound(action, code, message) from error
        raise ServiceError(action, code, message) from error
    except NoCredentialsError as error:
        raise AccessDenied(action, "NoCredentials", str(error)) from error
    except BotoCoreError as error:
        raise ServiceError(action, type(error).__name__, str(error)) from error


def is_answer(error: ServiceError) -> bool:
    """Return whether a service returned this error. Otherwise, the service could not be reached."""
    return isinstance(error.__cause__, ClientError)
