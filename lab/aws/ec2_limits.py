# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What EC2 refuses before it does anything: limits of requests that moto lets through."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from moto.ec2.exceptions import EC2ClientError

Request = Mapping[str, Any]

#: "You can specify … up to 200 values" a filter (DescribeInstances, "Using Filtering")
FILTER_VALUES = 200
#: "Constraints: Up to 1000 resource IDs" (CreateTags, DeleteTags)
RESOURCES = 1000
#: "Valid Range: Minimum value of 5. Maximum value of 1000." (DescribeInstances, DescribeTags)
PAGE = (5, 1000)


def _ids(request: Request) -> None:
    if not request.get("InstanceIds"):
        raise EC2ClientError("MissingParameter", "The request must contain the parameter InstanceId")


def _list(request: Request) -> None:
    for row in request.get("Filters", []):
        if len(row.get("Values", [])) > FILTER_VALUES:
            text = f"The maximum number of filter values specified on a single call is {FILTER_VALUES}"
            raise EC2ClientError("FilterLimitExceeded", text)
    if "MaxResults" not in request:
        return
    if request.get("InstanceIds"):
        # "You cannot specify this parameter and the instance IDs parameter in the same request."
        text = "The parameter instancesSet cannot be used with the parameter maxResults"
        raise EC2ClientError("InvalidParameterCombination", text)
    if not PAGE[0] <= int(request["MaxResults"]) <= PAGE[1]:
        text = f"Value ( {request['MaxResults']} ) for parameter maxResults is invalid. Expecting 5 to 1000."
        raise EC2ClientError("InvalidParameterValue", text)


def _tags(request: Request) -> None:
    """Check them: "Tag keys … accept a maximum of 127 Unicode characters … values … 256" (CreateTags)."""
    if not request.get("Resources") or len(request["Resources"]) > RESOURCES:
        raise EC2ClientError("InvalidParameterValue", f"Give 1 to {RESOURCES} resources")
    keys = [row.get("Key", "") for row in request.get("Tags", [])]
    if any(key.lower().startswith("aws:") for key in keys):
        raise EC2ClientError("InvalidParameterValue", "Tag keys starting with 'aws:' are reserved for internal use")
    if any(not 1 <= len(key) <= 127 for key in keys):
        raise EC2ClientError("InvalidParameterValue", "Tag key exceeds the maximum length of 127 characters")
    if any(len(row.get("Value") or "") > 256 for row in request.get("Tags", [])):
        raise EC2ClientError("InvalidParameterValue", "Tag value exceeds the maximum length of 256 characters")


#: Operation -> its check. The others are moto's to judge.
_CHECKS: dict[str, Callable[[Request], None]] = {
    "StartInstances": _ids,
    "StopInstances": _ids,
    "DescribeInstances": _list,
    "DescribeTags": _list,
    "CreateTags": _tags,
    "DeleteTags": _tags,
}


def check_request(operation: str, request: Request) -> None:
    """Refuse what EC2 would."""
    if operation in _CHECKS:
        _CHECKS[operation](request)
