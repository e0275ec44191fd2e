# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A mistyped Region is named with the one that was meant; Regions that botocore does not know yet are left alone."""

from __future__ import annotations

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._aws.known_regions import check_regions
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.errors import BadInput


@pytest.mark.parametrize(
    ("wrong", "meant"),
    [
        ("us-eest-1", "us-east-1 or us-west-1"),
        ("eu-centrall-1", "eu-central-1 or me-central-1"),
        ("cn-nort-1", "cn-north-1"),
    ],
)
def test_a_typing_error_is_named_with_what_was_meant(wrong: str, meant: str) -> None:
    with pytest.raises(BadInput, match=rf"regions: '{wrong}' is not valid, .*did you mean {meant}\?"):
        check_regions(["eu-west-1", wrong])


@pytest.mark.parametrize("region", ["eu-central-1", "us-gov-west-1", "cn-north-1", "eu-south-9", "mars-base-1", "any"])
def test_known_regions_newer_ones_and_names_that_resemble_none_pass(region: str) -> None:
    check_regions([region])
