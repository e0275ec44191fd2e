# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Clients find the endpoints of every partition, and FIPS endpoints where they are asked for."""

from __future__ import annotations

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._aws.session import Connection, Sessions, to_places
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.accounts import to_accounts
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.errors import BadInput
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.model import Place

CONNECTION = Connection(access_key="key", secret_key="secret")


@pytest.fixture(autouse=True)
def _bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ENDPOINT_URL", "AWS_PROFILE", "AWS_USE_FIPS_ENDPOINT"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize(
    ("region", "host"),
    [
        ("eu-central-1", "ssm.eu-central-1.amazonaws.com"),
        ("cn-north-1", "ssm.cn-north-1.amazonaws.com.cn"),
        ("us-gov-west-1", "ssm.us-gov-west-1.amazonaws.com"),
    ],
)
def test_each_partition_has_its_endpoint(region: str, host: str) -> None:
    client = Sessions(CONNECTION).client("ssm", Place(region=region))
    assert client.meta.endpoint_url == f"https://{host}"


def test_fips_endpoints_are_used_when_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_USE_FIPS_ENDPOINT", "true")
    client = Sessions(CONNECTION).client("ssm", Place(region="us-east-1"))
    assert client.meta.endpoint_url == "https://ssm-fips.us-east-1.amazonaws.com"


def test_fips_endpoints_can_be_asked_for_by_aws_config() -> None:
    connection = Connection(access_key="key", secret_key="secret", config={"use_fips_endpoint": True})
    client = Sessions(connection).client("ssm", Place(region="us-gov-east-1"))
    assert client.meta.endpoint_url == "https://ssm.us-gov-east-1.amazonaws.com"


@pytest.mark.parametrize("partition", ["aws", "aws-cn", "aws-us-gov"])
def test_roles_of_every_partition_tell_their_account(partition: str) -> None:
    role = f"arn:{partition}:iam::111122223333:role/ops/patchtide"
    assert [place.account for place in to_places(["any"], to_accounts([{"role_arn": role}]))] == ["111122223333"]


def test_what_is_no_role_is_refused_by_name() -> None:
    with pytest.raises(BadInput, match=r"accounts\[0\]\.role_arn: 'arn:aws:iam::111122223333:user/me'"):
        to_places(["any"], to_accounts([{"role_arn": "arn:aws:iam::111122223333:user/me"}]))


def test_a_client_that_must_not_repeat_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    sessions, place = Sessions(CONNECTION), Place(region="eu-central-1")
    assert sessions.client("ssm", place, retry=False).meta.config.retries["total_max_attempts"] == 1
    assert sessions.client("ssm", place).meta.config.retries["total_max_attempts"] > 1
