# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Answers SSM requests: checks them by botocore's model, calls the operation, checks the answer as well."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from botocore.model import OperationModel
from moto.core.utils import get_service_model
from moto.ssm.responses import SimpleSystemManagerResponse

from ..validate import problems
from ..world import world
from .operations import COMMON_ERRORS, OPERATIONS, NotOurs, SsmError

#: (status, headers, body), as moto wants it
Reply = tuple[int, dict[str, str], str]

#: Where the model is stricter than the service: a node without a patch group reports "", a command that has not run
#: has "" for its times (and a duration for ExecutionElapsedTime), and DescribeInstancePatchStatesForPatchGroup returns
#: more than the 5 rows that its list shape allows (MaxResults is 10 to 100).
LENIENT = frozenset({"PatchGroup", "InstancePatchStatesList", "StringDateTime"})
#: An answer of ours that breaks the model is a defect of the lab and says so, instead of being retried as a 500.
DEFECT = "LabDefect"


class SsmResponse(SimpleSystemManagerResponse):
    """Our operations answer; what we do not have goes to moto's, with the request checked all the same."""

    def call_action(self) -> Any:
        model = get_service_model("ssm").operation_model(self._get_action())
        request = json.loads(self.body or "{}")
        with world().lock:
            return self._answer(model, request)

    def _answer(self, model: OperationModel, request: dict[str, Any]) -> Any:
        if wrong := problems(request, model.input_shape):
            return failure("ValidationException", wrong)
        if model.name not in OPERATIONS:
            return self._ask_moto(model.name)
        place = self.ssm_backend.place
        place.catch_up()
        try:
            answer = OPERATIONS[model.name](place, request)
        except SsmError as error:
            return _refusal(model, error)
        except NotOurs:
            return self._ask_moto(model.name)
        if wrong := problems(answer, model.output_shape, LENIENT):
            return failure(DEFECT, f"the lab's own answer to {model.name} is not what the model says: {wrong}")
        return 200, {"Content-Type": "application/x-amz-json-1.1"}, json.dumps(answer, default=_epoch)

    def _ask_moto(self, name: str) -> Any:
        try:
            return super().call_action()
        except NotImplementedError:
            return failure("UnknownOperationException", f"The lab has no {name}.")


def _refusal(model: OperationModel, error: SsmError) -> Reply:
    """An error answer, if the operation declares it."""
    known = {shape.name for shape in model.error_shapes} | COMMON_ERRORS
    if error.code == "InvalidNextToken" and error.code not in known:
        return failure("ValidationException", error.message)  # operations that do not declare the former
    if error.code not in known:
        return failure(DEFECT, f"{model.name} can't answer {error.code}; its model declares {sorted(known)}")
    return failure(error.code, error.message)


def failure(code: str, message: str) -> Reply:
    """AWS JSON 1.1: errors are HTTP 400 with the code in __type."""
    body = json.dumps({"__type": code, "message": message, "Message": message})
    return 400, {"Content-Type": "application/x-amz-json-1.1", "x-amzn-ErrorType": code}, body


def _epoch(value: Any) -> float:
    if isinstance(value, datetime):
        return round(value.timestamp(), 3)
    raise TypeError(f"{value!r} has no JSON form")
