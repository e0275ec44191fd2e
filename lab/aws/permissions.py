# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the roles of the estate may do: the IAM policies of ``examples/iam`` that it gives them, evaluated by moto.

A role without policies may do everything. Resources are evaluated for S3 only, conditions never. The names of actions:
service authorization reference, https://docs.aws.amazon.com/service-authorization/latest/reference/.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

from moto.iam.access_control import IAMPolicy, PermissionResult
from moto.sts.models import sts_backends

from .world import world

EXAMPLES = Path(__file__).parents[2] / "examples" / "iam"
_PREFIXES = {"tagging": "tag", "monitoring": "cloudwatch"}
_S3_OBJECT = {"GET": "GetObject", "HEAD": "GetObject", "PUT": "PutObject", "DELETE": "DeleteObject"}
_S3_BUCKET = {"GET": "ListBucket", "HEAD": "ListBucket", "PUT": "CreateBucket", "DELETE": "DeleteBucket"}


def refusal(account: str, access_key: str, service: str, operation: str, path: str) -> str:
    """Return why a call is refused, in the words of IAM; "" if the caller may make it.

    ``operation``: the API's name, the HTTP method for S3. ``path``: of the request, which names S3's bucket and key.
    """
    arn = _role_of(account, access_key)
    name = arn.rpartition("/")[2]
    estate = world().estate.account(account)
    role = next((role for role in estate.roles if role.name == name), None) if estate and arn else None
    if role is None or not role.policies:
        return ""
    action, resource = _action(service, operation, path)
    if action == "sts:GetCallerIdentity":  # needs no permission (STS API reference)
        return ""
    if any(_policy(name).is_action_permitted(action, resource) == PermissionResult.PERMITTED for name in role.policies):
        return ""
    who = f"arn:aws:sts::{account}:assumed-role/{name}"
    return (
        f"User: {who} is not authorized to perform: {action} on resource: {resource} "
        f"because no identity-based policy allows the {action} action"
    )


def _action(service: str, operation: str, path: str) -> tuple[str, str]:
    if service != "s3":
        return f"{_PREFIXES.get(service, service)}:{operation}", "*"
    bucket, _, key = path.lstrip("/").partition("/")
    name = (_S3_OBJECT if key else _S3_BUCKET).get(operation, operation)
    return f"s3:{name}", f"arn:aws:s3:::{bucket}{'/' if key else ''}{key}"


@cache
def _policy(name: str) -> IAMPolicy:
    """Read a policy; the bucket that a user puts into it may be any here."""
    return IAMPolicy((EXAMPLES / f"{name}.json").read_text().replace("YOUR-LIST-BUCKET", "*"))


_ROLES: dict[str, str] = {}


def _role_of(account: str, access_key: str) -> str:
    """Return the ARN of the role that issued a session's key; "" for a user's key. Issued keys never change hands."""
    if access_key.startswith("AKIA"):
        return ""
    if access_key not in _ROLES:
        session = sts_backends[account]["aws"].get_assumed_role_from_access_key(access_key)
        _ROLES[access_key] = session.role_arn if session else ""
    return _ROLES[access_key]
