# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An SSM client that answers every read with all members that botocore's service model has for the answer."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta, timezone
from functools import cache
from typing import Any
from unittest.mock import Mock

import botocore.session
from botocore import xform_name

_PAGING = ("NextToken", "ResponseMetadata")


@cache
def model() -> Any:
    loader = botocore.session.Session().get_component("data_loader")
    return botocore.model.ServiceModel(loader.load_service_model("ssm", "service-2"), "ssm")


@cache
def operation_of(method: str) -> str:
    return next(str(name) for name in model().operation_names if xform_name(name) == method)


class AnsweringClient:
    """Each leaf of an answer has a value of its own; ``changed`` names one leaf that has another value.

    A path is ``Operation.Member[].Member<>.Member``. ``fixed`` has the values of members that must be valid.
    """

    def __init__(self, fixed: Mapping[str, Any], changed: str | None = None) -> None:
        self._fixed = fixed
        self._changed = changed
        self.leaves: list[str] = []

    @property
    def meta(self) -> Any:
        """What our own wrappers ask a client: its service model and its events."""
        return Mock()

    def __getattr__(self, method: str) -> Callable[..., dict[str, Any]]:
        return lambda **_request: self._answer(method)

    def get_paginator(self, method: str) -> AnsweringClient:
        pages = AnsweringClient(self._fixed, self._changed)
        pages.leaves = self.leaves
        pages.paginate = lambda **_request: [self._answer(method)]
        return pages

    def _answer(self, method: str) -> dict[str, Any]:
        name = operation_of(method)
        found: dict[str, Any] = self._value(model().operation_model(name).output_shape, name)
        return found

    def _value(self, shape: Any, path: str) -> Any:
        if shape.type_name == "structure":
            members = {name: row for name, row in shape.members.items() if name not in _PAGING}
            return {name: self._value(row, f"{path}.{name}") for name, row in members.items()}
        if shape.type_name == "list":
            return [self._value(shape.member, f"{path}[]")]
        if shape.type_name == "map":
            return {"a": self._value(shape.value, f"{path}<>")}
        if path not in self.leaves:
            self.leaves.append(path)
        return self._leaf(shape.type_name, path)

    def _leaf(self, kind: str, path: str) -> Any:
        changed = path == self._changed
        if kind == "timestamp":
            return datetime(2026, 1, 1, tzinfo=timezone.utc) + timedelta(days=changed)
        if kind == "boolean":
            return not changed
        if kind in ("integer", "long"):
            return 7 + changed
        text = str(self._fixed.get(path, f"value of {path}"))
        return text + " changed" if changed else text


def dropped(read: Callable[[Any], Any], fixed: Mapping[str, Any]) -> Iterator[str]:
    """Yield the members of the answers that make no difference to what ``read`` returns."""
    asked = AnsweringClient(fixed)
    before = repr(read(asked))
    for path in asked.leaves:
        try:
            if repr(read(AnsweringClient(fixed, path))) == before:
                yield path
        except Exception:
            continue
