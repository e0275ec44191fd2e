# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hybrid activations through the SSM API."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .._core.errors import ServiceError
from .._core.ssm.activations import Activation
from .convert import from_tag_list, to_tag_list, to_time
from .errors import aws_errors
from .once import create_once
from .paging import read_all, without_empty


class SsmActivations:
    """The ``ActivationPort`` of one account-Region.

    :param client: its SSM client.
    :param once: an SSM client without retries, for CreateActivation, which has no idempotency token.
    """

    def __init__(self, client: Any, once: Any = None) -> None:
        self._client = client
        self._once = once

    def read(self) -> list[Activation]:
        """Return all activations, because the service has no filter for descriptions."""
        rows = read_all(self._client, "list activations", "describe_activations", "ActivationList", 50)
        return [from_api(row) for row in rows]

    def find(self, description: str) -> list[Activation]:
        return [item for item in self.read() if item.description == description]

    def create(self, wanted: Activation, metadata: Mapping[str, str]) -> tuple[str, str]:
        members = {
            "Description": wanted.description,
            "DefaultInstanceName": wanted.default_instance_name,
            "IamRole": wanted.iam_role,
            "RegistrationLimit": wanted.registration_limit,
            "ExpirationDate": wanted.expires_at,
            "Tags": to_tag_list(wanted.tags) or None,
            "RegistrationMetadata": to_tag_list(metadata) or None,
        }
        known = {item.activation_id for item in self.find(wanted.description)}
        made: dict[str, str] = {}

        def create() -> str:
            with aws_errors(f"create activation {wanted.description}"):
                made.update(self._once.create_activation(**without_empty(members)))
            return made["ActivationId"]

        def forget() -> None:
            """Delete an activation whose creation was not answered, because its code is lost."""
            for item in self.find(wanted.description):
                if item.activation_id not in known:
                    self.delete(str(item.activation_id))

        return create_once(create, forget), made["ActivationCode"]

    def delete(self, activation_id: str) -> None:
        try:
            with aws_errors(f"delete activation {activation_id}"):
                self._client.delete_activation(ActivationId=activation_id)
        except ServiceError as error:
            if error.code != "InvalidActivation":
                raise


def from_api(row: Mapping[str, Any]) -> Activation:
    """Convert one row of DescribeActivations."""
    return Activation(
        description=row.get("Description", ""),
        iam_role=row.get("IamRole", ""),
        default_instance_name=row.get("DefaultInstanceName", ""),
        registration_limit=row.get("RegistrationLimit", 1),
        registrations=row.get("RegistrationsCount", 0),
        created_at=to_time(row.get("CreatedDate")),
        expires_at=to_time(row.get("ExpirationDate")),
        expired=row.get("Expired", False),
        tags=from_tag_list(row.get("Tags")),
        activation_id=row["ActivationId"],
    )
