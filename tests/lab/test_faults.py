# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults on demand, each one counted, and gone after a reset."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from botocore.exceptions import ConnectionClosedError

from lab.aws.faults import to_rule

from .conftest import DATA, WEB, Fleet

Refused = Callable[..., str]


def test_throttling_lets_a_rate_through_and_refuses_the_rest(fleet: Fleet, refused: Refused) -> None:
    fleet.rule(kind="throttle", service="ssm", operation="ListCommands", account=WEB, tps=2)
    ssm = fleet.lab.client("ssm", account=WEB)
    ssm.list_commands()
    ssm.list_commands()
    assert refused(ssm.list_commands) == "ThrottlingException"
    fleet.lab.client("ssm", account=DATA).list_commands()
    time.sleep(0.6)
    ssm.list_commands()


def test_throttling_is_a_steady_rate() -> None:
    rule = to_rule({"kind": "throttle", "tps": 10})
    refused = sum(rule.strikes(moment / 100) for moment in range(1000))
    assert 885 <= refused <= 895  # ten seconds at ten a second, and the burst


def test_server_errors_come_by_a_seeded_chance() -> None:
    def sequence() -> list[bool]:
        rule = to_rule({"kind": "error", "probability": 0.3, "seed": 7})
        return [rule.strikes(0) for _unused in range(200)]

    assert sequence() == sequence()
    assert 40 < sum(sequence()) < 80


def test_a_lost_answer_was_a_real_write(fleet: Fleet) -> None:
    """SendCommand has no idempotency token: who sends again has sent twice."""
    fleet.rule(kind="lose_response", operation="SendCommand", nth=1)
    with pytest.raises(ConnectionClosedError):
        fleet.send("web-dev-01")
    assert len(fleet.lab.get("ledger")["commands"]) == 1


def test_a_client_token_survives_a_lost_answer(fleet: Fleet) -> None:
    fleet.rule(kind="lose_response", operation="CreatePatchBaseline", nth=1)
    ssm = fleet.lab.client("ssm", account=WEB)
    with pytest.raises(ConnectionClosedError):
        ssm.create_patch_baseline(Name="once", ClientToken="one")
    ssm.create_patch_baseline(Name="once", ClientToken="one")
    mine = ssm.describe_patch_baselines(Filters=[{"Key": "OWNER", "Values": ["Self"]}])["BaselineIdentities"]
    assert len(mine) == 1


def test_a_region_that_is_down_answers_nothing_and_the_others_go_on(fleet: Fleet) -> None:
    fleet.rule(kind="down", region="us-east-1")
    with pytest.raises(ConnectionClosedError):
        fleet.lab.client("ssm", "us-east-1", WEB).list_commands()
    fleet.lab.client("ssm", "eu-central-1", WEB).list_commands()


@pytest.mark.parametrize(
    ("service", "call", "code"),
    [
        ("ssm", "list_commands", "AccessDeniedException"),
        ("ec2", "describe_instances", "UnauthorizedOperation"),
        ("sts", "get_caller_identity", "AccessDenied"),
        ("s3", "list_buckets", "AccessDenied"),
    ],
)
def test_denied_in_each_services_own_words(fleet: Fleet, refused: Refused, service: str, call: str, code: str) -> None:
    fleet.rule(kind="deny", account=WEB)
    assert refused(getattr(fleet.lab.client(service, account=WEB), call)) == code


@pytest.mark.parametrize(
    ("service", "call", "code"),
    [
        ("ssm", "list_commands", "ExpiredTokenException"),
        ("dynamodb", "list_tables", "ExpiredTokenException"),
        ("ec2", "describe_instances", "RequestExpired"),
        ("elbv2", "describe_load_balancers", "ExpiredToken"),
        ("sts", "get_caller_identity", "ExpiredToken"),
        ("s3", "list_buckets", "ExpiredToken"),
    ],
)
def test_expired_in_each_services_own_words(fleet: Fleet, refused: Refused, service: str, call: str, code: str) -> None:
    """Common error types of each API reference; EC2 developer guide, common client error codes; S3, list of codes."""
    fleet.rule(kind="expired", account=WEB)
    assert refused(getattr(fleet.lab.client(service, account=WEB), call)) == code


def test_a_rule_may_end_after_some_hits(fleet: Fleet, refused: Refused) -> None:
    fleet.rule(kind="error", operation="ListCommands", times=1)
    ssm = fleet.lab.client("ssm", account=WEB)
    assert refused(ssm.list_commands) == "InternalServerError"
    ssm.list_commands()


@pytest.mark.parametrize(
    "body",
    [
        {"rules": [{"kind": "gremlins"}]},
        {"rules": [{"kind": "deny", "who": "me"}]},
        {"node": "nobody", "offline": True},
        {"node": "web-dev-01", "sulking": True},
    ],
)
def test_faults_nobody_knows_are_refused(fleet: Fleet, body: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="error"):
        fleet.lab.post("faults", body)


def test_reset_takes_every_fault_away(fleet: Fleet) -> None:
    fleet.rule(kind="deny")
    fleet.fault("web-dev-01", offline=True, slow=9)
    fleet.lab.reset()
    shown = fleet.lab.get("faults")
    assert shown["rules"] == []
    assert fleet.id("web-dev-01") not in shown["nodes"]


def test_the_ledger_counts_calls_by_place_and_outcome(fleet: Fleet) -> None:
    ssm = fleet.lab.client("ssm", account=WEB)
    fleet.rule(kind="error", operation="ListCommands", times=1)
    for _unused in range(3):
        try:
            ssm.list_commands()
        except ssm.exceptions.InternalServerError:
            continue
    rows = fleet.lab.get("ledger")["calls"]
    counts = {(row["account"], row["operation"], row["status"]): row["count"] for row in rows}
    assert counts[(WEB, "ListCommands", "200")] == 2
    assert counts[(WEB, "ListCommands", "500")] == 1
    fleet.lab.post("ledger/reset")
    assert fleet.lab.get("ledger")["calls"] == []
