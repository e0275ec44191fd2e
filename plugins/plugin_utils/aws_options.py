# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The AWS connection options of actions that run on the controller."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, NoReturn

from ansible_collections.amazon.aws.plugins.module_utils.botocore import get_aws_connection_info
from ansible_collections.amazon.aws.plugins.module_utils.modules import aws_argument_spec

from ..module_utils._ansible.spec import to_connection
from ..module_utils._aws.fleet_models import slim_for_rollouts
from ..module_utils._aws.session import Sessions
from ..module_utils._core.accounts import Account, to_accounts
from ..module_utils._core.errors import PatchtideError
from ..module_utils._core.model import Place


class _Params:
    """The members of a module that amazon.aws needs to read its connection options."""

    def __init__(self, params: Mapping[str, Any]) -> None:
        self.params = params

    def fail_json(self, msg: str, **_more: Any) -> NoReturn:
        raise PatchtideError(msg)


def aws_spec() -> dict[str, Any]:
    """Return the argument spec of the options of every amazon.aws module."""
    return dict(aws_argument_spec())


def to_sessions(options: Mapping[str, Any], rollout: str = "") -> Sessions:
    """Return sessions according to options, environment and profile.

    :param rollout: part of the names of role sessions, so that CloudTrail shows the rollout of each call.
    """
    connection = to_connection(get_aws_connection_info(_Params(options)), options.get("aws_config"))
    name = f"{connection.session_name}-{rollout}" if rollout else connection.session_name
    return Sessions(replace(connection, session_name=name), wrap_loader=slim_for_rollouts)


def own_region(options: Mapping[str, Any], sessions: Sessions) -> str | None:
    """Return the Region of the options, the environment or the profile."""
    found: str | None = get_aws_connection_info(_Params(options))[0]
    return found or sessions.default_region


def accounts_of(options: Mapping[str, Any]) -> list[Account]:
    """Return the accounts of the option ``accounts``."""
    return to_accounts(options.get("accounts") or [])


def node_places(nodes: Sequence[tuple[str, str]], accounts: Sequence[Account]) -> list[Place]:
    """Return each account-Region. Accounts without a role are accessed with the caller's own credentials."""
    known = {account.id: account for account in accounts}
    return [known.get(number, Account(id=number)).place(region) for number, region in sorted(set(nodes))]
