# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who may do what: the lab's users, their keys, the roles of the estate, and a strict AssumeRole."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache, lru_cache
from typing import Any

from moto.core.exceptions import AccessDeniedError
from moto.iam.aws_managed_policies import aws_managed_policies_data
from moto.iam.models import AccessKey, AWSManagedPolicy, iam_backends
from moto.sts.responses import TokenResponse

from .estate import Account, Role
from .iam_evaluation import trusts
from .launch import SECRET
from .world import world

NODE_PROFILE = "patchtide-node"
HYBRID_ROLE = "service-role/AmazonEC2RunCommandRoleForManagedInstances"
#: The policy whose permissions an agent needs. moto has all of AWS's own, but loads them only as a whole, slowly.
NODE_POLICY = "AmazonSSMManagedInstanceCore"
#: What Quick Setup deploys patch policies with.
QUICK_SETUP_POLICY = "AWSQuickSetupPatchPolicyDeploymentRolePolicy"


def seed() -> None:
    """Create a user with a known access key and the estate's roles in every account."""
    for account in world().estate.accounts:
        backend: Any = iam_backends[account.account_id]["aws"]
        if "lab" not in backend.users:
            backend.create_user(region_name="us-east-1", user_name="lab")
        key = AccessKey(user_name="lab", prefix="AKIA", account_id=account.account_id)
        key.access_key_id, key.secret_access_key = account.access_key, SECRET
        backend.get_user("lab").access_keys.append(key)
        backend.access_keys[account.access_key] = key
        for role in account.roles:
            _create_role(backend, role)
        _create_node_profile(backend)
        _create_hybrid_role(backend)
        _managed_policy(backend, QUICK_SETUP_POLICY)


def _create_node_profile(backend: Any) -> None:
    """The instance profile that EC2 nodes need for their agent to register."""
    trust = {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}
    _put_role(backend, NODE_PROFILE, trust, "What the agents of the lab's EC2 nodes work with.")
    backend.create_instance_profile(NODE_PROFILE, "/", [NODE_PROFILE])
    backend.attach_role_policy(_managed_policy(backend, NODE_POLICY), NODE_PROFILE)


def _create_hybrid_role(backend: Any) -> None:
    """The service role that the agents of hybrid nodes work with (user guide, create the IAM service role)."""
    trust = {"Effect": "Allow", "Principal": {"Service": "ssm.amazonaws.com"}, "Action": "sts:AssumeRole"}
    path, _, name = HYBRID_ROLE.rpartition("/")
    _put_role(backend, name, trust, "What the agents of the lab's hybrid nodes work with.", f"/{path}/")


def _managed_policy(backend: Any, name: str) -> str:
    """Load a policy of AWS's own into an account and return its ARN."""
    policy = AWSManagedPolicy.from_data(name, backend.account_id, backend.region_name, _known_policies()[name])
    backend.managed_policies[policy.arn] = policy
    return str(policy.arn)


@cache
def _known_policies() -> dict[str, Any]:
    known = json.loads(aws_managed_policies_data)
    return {name: known[name] for name in (NODE_POLICY, QUICK_SETUP_POLICY)}


def _create_role(backend: Any, role: Role) -> None:
    home = world().estate.home_account
    statement: dict[str, Any] = {
        "Effect": "Deny" if role.denied else "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{home}:root"},
        "Action": "sts:AssumeRole",
    }
    if role.external_id:
        statement["Condition"] = {"StringEquals": {"sts:ExternalId": role.external_id}}
    _put_role(backend, role.name, statement, "May be assumed from the lab's home account.")


def _put_role(backend: Any, name: str, statement: dict[str, Any], description: str, path: str = "/") -> None:
    backend.create_role(
        role_name=name,
        assume_role_policy_document=json.dumps({"Version": "2012-10-17", "Statement": [statement]}),
        path=path,
        permissions_boundary=None,
        description=description,
        tags=[],
        max_session_duration="3600",
    )


def account_of(access_key: str) -> str | None:
    """Return the account an access key belongs to; None for a key nobody issued."""
    for account_id, partitions in list(iam_backends.items()):
        if access_key in partitions["aws"].access_keys:
            return str(account_id)
    return None


def may_assume(caller: str, role_arn: str, external_id: str | None, session: str = "") -> bool:
    """Say whether a caller's account may assume a role: it must exist, trust the account and get its external id.

    ``session``: the name of the session, which a role that somebody made may ask for.
    """
    parts = role_arn.split(":")
    if len(parts) != 6 or not parts[5].startswith("role/"):
        return False
    account = world().estate.account(parts[4])
    role = _estate_role(account, parts[5].removeprefix("role/"))
    if account is None or role is None:
        facts = {"sts:RoleSessionName": session, **({"sts:ExternalId": external_id} if external_id else {})}
        return _trusts(parts[4], role_arn, caller, facts)
    trusted = caller in (world().estate.home_account, account.account_id)
    return trusted and not role.denied and role.external_id in (None, external_id)


def role_exists(account_id: str, name: str) -> bool:
    """Whether an account has a role; ``name`` may have its path before it, as in ``service-role/NAME``."""
    path, _, last = name.rpartition("/")
    roles = iam_backends[account_id]["aws"].roles.values()
    return any(role.name == last and path.strip("/") in ("", role.path.strip("/")) for role in roles)


def _estate_role(account: Account | None, name: str) -> Role | None:
    return next((role for role in account.roles if role.name == name), None) if account else None


def _trusts(account_id: str, role_arn: str, caller: str, facts: Mapping[str, str]) -> bool:
    """A role that somebody created at run time, through IAM or a stack. The caller is the account's lab user."""
    if account_id not in iam_backends:
        return False
    me = (caller, f"arn:aws:iam::{caller}:root", f"arn:aws:iam::{caller}:user/lab")
    for role in iam_backends[account_id]["aws"].roles.values():
        if role.arn == role_arn:
            text = role.assume_role_policy_document
            return trusts(json.loads(text) if isinstance(text, str) else text, me, facts)
    return False


@lru_cache(maxsize=1)
def bind() -> None:
    """moto assumes any role, existing or not; AWS does not."""
    assume = TokenResponse.assume_role

    def assume_role(self: Any) -> Any:
        arn, external_id = self._get_param("RoleArn"), self._get_param("ExternalId")
        if not may_assume(self.current_account, arn, external_id, self._get_param("RoleSessionName")):
            who = f"arn:aws:iam::{self.current_account}:user/lab"
            raise AccessDeniedError(who, f"sts:AssumeRole on resource: {arn}")
        return assume(self)

    TokenResponse.assume_role = assume_role
