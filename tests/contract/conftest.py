# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Gives each contract test its world, once the fake and once the lab."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from lab.aws.launch import Lab
from lab.azure.launch import AzureLab, azure_lab
from tests.contract.worlds import World, fake_world, lab_world


@pytest.fixture(params=["fake", "lab"])
def world(request: pytest.FixtureRequest) -> World:
    if request.param == "fake":
        return fake_world()
    return lab_world(request.getfixturevalue("ssm"))


#: Buckets that the tests name; the lab, as the service, refuses one that does not exist.
BUCKETS = ("patch-logs", "one", "two")


def make_buckets(aws: Lab) -> None:
    for name in BUCKETS:
        where = {"LocationConstraint": "eu-central-1"}
        aws.client("s3").create_bucket(Bucket=name, CreateBucketConfiguration=where)


@pytest.fixture
def ssm(aws: Lab) -> Any:
    """An SSM client of one place of a lab that is as new."""
    aws.reset()
    make_buckets(aws)
    return aws.client("ssm")


@pytest.fixture(scope="module")
def running_azure(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AzureLab]:
    with azure_lab(tmp_path_factory.mktemp("azure")) as running:
        yield running


@pytest.fixture
def azure(running_azure: AzureLab) -> AzureLab:
    """The lab's Azure, as new."""
    running_azure.post("reset")
    return running_azure
