# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hybrid activations: CreateActivation, DeleteActivation, DescribeActivations."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

from ..access import role_exists
from .operations import Answer, Request, SsmError, operation, page
from .tags import check_tags

if TYPE_CHECKING:
    from .backend import Place

#: "the activation code expires in 24 hours" when no date is given; "30 days in the future" at most (API reference)
DEFAULT_HOURS, MOST_DAYS = 24, 30


@operation("CreateActivation")
def create_activation(place: Place, request: Request) -> Answer:
    now = place.sim.now
    expires = _expiry(request.get("ExpirationDate"), now)
    if not now < expires <= now + timedelta(days=MOST_DAYS):
        raise SsmError("InvalidParameters", f"ExpirationDate must lie within the next {MOST_DAYS} days.")
    if not role_exists(place.account, request["IamRole"]):
        # hashicorp/terraform-provider-aws, internal/service/ssm/activation.go retries on this very text
        raise SsmError(
            "ValidationException",
            f"Nonexistent role or missing ssm service principal in trust policy: {request['IamRole']}",
        )
    check_tags(request.get("Tags", []))
    activation_id = str(uuid.UUID(int=place.chance.getrandbits(128), version=4))
    place.kept["activations"][activation_id] = {
        "ActivationId": activation_id,
        "IamRole": request["IamRole"],
        "RegistrationLimit": request.get("RegistrationLimit", 1),
        "ExpirationDate": expires,
        "CreatedDate": now,
        **{key: request[key] for key in ("Description", "DefaultInstanceName", "Tags") if key in request},
    }
    code = place.hex_id("", 20)
    place.kept["activation_codes"][activation_id] = code
    return {"ActivationId": activation_id, "ActivationCode": code}


def is_spent(activation: Mapping[str, Any]) -> bool:
    """Whether as many machines have registered with it as it allows."""
    return bool(activation.get("RegistrationsCount", 0) >= activation["RegistrationLimit"])


def tags_of(activation: Mapping[str, Any]) -> dict[str, str]:
    """Return the tags with which machines are born that register with it."""
    return {row["Key"]: row["Value"] for row in activation.get("Tags", [])}


def _expiry(value: float | str | None, now: datetime) -> datetime:
    if value is None:
        return now + timedelta(hours=DEFAULT_HOURS)
    if isinstance(value, str):
        return datetime.fromisoformat(value.replace("Z", "+00:00"))
    return datetime.fromtimestamp(value, timezone.utc)


@operation("DeleteActivation")
def delete_activation(place: Place, request: Request) -> Answer:
    if place.kept["activations"].pop(request["ActivationId"], None) is None:
        raise SsmError("InvalidActivation", f"The activation {request['ActivationId']} isn't valid.")
    return {}


@operation("DescribeActivations")
def describe_activations(place: Place, request: Request) -> Answer:
    rows = [{**row, "Expired": row["ExpirationDate"] <= place.sim.now} for row in place.kept["activations"].values()]
    for item in request.get("Filters", []):
        rows = [row for row in rows if _value(row, item.get("FilterKey", "")) in item.get("FilterValues", [])]
    return page("ActivationList", rows, request, 50)


def _value(row: dict[str, Any], key: str) -> Any:
    return row["ActivationId"] if key == "ActivationIds" else row.get(key)
