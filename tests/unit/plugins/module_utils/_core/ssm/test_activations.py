# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hybrid activations: which is left alone, which is replaced (limits: botocore's model of CreateActivation)."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timezone
from typing import Any

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.change import Change
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.errors import BadInput
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.ssm.activations import Activation, plan_activation

NOW = datetime(2026, 11, 1, tzinfo=timezone.utc)
OLD = Activation(description="plant", iam_role="hybrid", activation_id="a-1", expires_at="2026-11-01T12:00:00Z")


def plan(*found: Activation, renew: bool = False, **options: Any) -> Change[Activation]:
    given = {"description": "plant", "valid_hours": 24, **options}
    return plan_activation(list(found), given, NOW, present=True, renew=renew)


def test_usable_one_is_left_alone_with_the_time_it_has() -> None:
    change = plan(OLD, iam_role="hybrid")
    assert not change.changed and change.after == OLD


@pytest.mark.parametrize(
    ("found", "reason"),
    [
        (replace(OLD, expired=True), "used up or expired"),
        (replace(OLD, registrations=1), "used up or expired"),
        (replace(OLD, registration_limit=5), "can't change"),
    ],
)
def test_another_is_replaced_and_says_why(found: Activation, reason: str) -> None:
    change = plan(found, registration_limit=1)
    assert change.changed and reason in str(change.recreate)
    assert change.after and change.after.expires_at == "2026-11-02T00:00:00Z"


def test_renewed_when_asked() -> None:
    assert plan(OLD, renew=True).recreate == "asked for"


def test_usable_one_counts_among_several() -> None:
    assert plan(replace(OLD, expired=True, activation_id="a-0"), OLD).before == OLD


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "iam_role: None"),
        ({"iam_role": "x" * 65}, "at most 64"),
        ({"iam_role": "x", "registration_limit": 0}, "1 to 1000"),
        ({"iam_role": "x", "valid_hours": 721}, "1 to 720 hours"),
    ],
)
def test_what_the_service_would_refuse_is_named(options: dict[str, Any], message: str) -> None:
    with pytest.raises(BadInput, match=message):
        plan(**options)
