# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What every SSM operation here is made of: a registry, errors by the model, pages, idempotency tokens."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from .backend import Place

Request = dict[str, Any]
Answer = dict[str, Any]
Operation = Callable[["Place", Request], Answer]
F = TypeVar("F", bound=Operation)

#: Operation name -> the function that answers it. A noun's file registers its own on import.
OPERATIONS: dict[str, Operation] = {}

#: Errors any operation may give (API reference, "Common Errors"), besides those its model declares.
COMMON_ERRORS = frozenset(
    {"ValidationException", "ThrottlingException", "AccessDeniedException", "UnrecognizedClientException"}
)


class SsmError(Exception):
    """An error answer. The response class checks that the operation may give it."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code, self.message = code, message


class NotOurs(Exception):
    """The request is about something that moto keeps, such as the tags of a document: let moto answer."""


def operation(name: str) -> Callable[[F], F]:
    """Register a function as the answer to one operation of the SSM API."""

    def register(function: F) -> F:
        OPERATIONS[name] = function
        return function

    return register


def page(key: str, rows: Sequence[Any], request: Mapping[str, Any], default: int) -> Answer:
    """Cut one page out of ``rows``. A token is good for the request it came from only."""
    size = request.get("MaxResults", default)
    asked = _fingerprint(key, request)
    start = _offset(request["NextToken"], asked) if request.get("NextToken") else 0
    answer: Answer = {key: list(rows[start : start + size])}
    if start + size < len(rows):
        answer["NextToken"] = base64.b64encode(json.dumps([start + size, asked]).encode()).decode()
    return answer


def _fingerprint(key: str, request: Mapping[str, Any]) -> str:
    return key + json.dumps({k: v for k, v in request.items() if k not in ("NextToken", "MaxResults")}, sort_keys=True)


def _offset(token: str, asked: str) -> int:
    try:
        offset, given = json.loads(base64.b64decode(token, validate=True))
    except ValueError:
        offset, given = 0, None
    if given != asked:
        raise SsmError("InvalidNextToken", "The specified token is not valid.")
    return int(offset)


class Tokens:
    """ClientToken: the same token with the same request gives the first answer, with another one an error."""

    def __init__(self) -> None:
        self._seen: dict[tuple[str, str], tuple[str, Answer]] = {}

    def once(self, name: str, request: Request, make: Callable[[], Answer]) -> Answer:
        token = request.get("ClientToken")
        if token is None:
            return make()
        body = json.dumps(request, sort_keys=True, default=str)
        if (name, token) in self._seen:
            before, answer = self._seen[(name, token)]
            if before != body:
                raise SsmError("IdempotentParameterMismatch", f"ClientToken {token} was used with other parameters.")
            return answer
        answer = make()
        self._seen[(name, token)] = (body, answer)
        return answer
