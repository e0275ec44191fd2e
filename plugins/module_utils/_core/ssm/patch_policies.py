# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Patch policies of Quick Setup: they scan and patch nodes as well, and ignore patch groups (user guide). Pure.

A policy is carried out by associations whose baselines are files in a bucket of Quick Setup. Quick Setup tags the nodes
of a policy with ``QSConfigName-ID``, the name of the policy.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

#: buckets with the baselines of patch policies (AWSQuickSetupPatchPolicyBaselineAccess, an AWS managed policy)
_BUCKET = "s3://aws-quicksetup-patchpolicy-"
_TAG = "QSConfigName-"


def is_patch_policy(parameters: Mapping[str, Sequence[str]]) -> bool:
    """Return whether an association with these parameters carries out a patch policy."""
    return any(str(value).startswith(_BUCKET) for value in parameters.get("BaselineOverride", ()))


def policies_of(tags: Mapping[str, str]) -> dict[str, str]:
    """Return the patch policies that a node with these tags is in: their names by tag key."""
    return {key: value for key, value in tags.items() if key.startswith(_TAG)}
