# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Findings of the enrollment: what each means and how it is fixed, and how they are shown, by owner. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ..text import counted, plain
from .machine import Finding

#: By code: what is wrong, and the fix. A fix names the key of the policy, the module or the command.
MEANINGS: Mapping[str, tuple[str, str]] = {
    "not_in_inventory": (
        "AWS has it and the inventory does not, so no plan will have it",
        "Add its account and Region to the ssm_fleet file, or check the file's filters, include and exclude.",
    ),
    "not_found": (
        "neither the inventory nor the estate has it",
        "Check the name in patchtide_nodes, and the accounts and Regions of estate in the policy.",
    ),
    "no_instance_profile": (
        "has no instance profile, so its agent can't register",
        "Set enrollment.instance_profile in the policy and run enroll_nodes again, or attach one by ssm_instance_role.",
    ),
    "no_role": (
        "its instance profile {profile} does not exist or contains no role",
        "Create instance profile {profile} with a role that trusts ec2.amazonaws.com and has the policy "
        "AmazonSSMManagedInstanceCore.",
    ),
    "role_unread": (
        "the role in its instance profile {profile} could not be read: {why}",
        "Grant iam:GetInstanceProfile, iam:ListAttachedRolePolicies, iam:ListRolePolicies, iam:GetRolePolicy, "
        "iam:GetPolicy and iam:GetPolicyVersion to the role of the collection.",
    ),
    "role_lacks": (
        "its role {role} does not allow {actions}",
        "Set enrollment.role_policy_arn in the policy and run enroll_nodes again, or add these actions to the role.",
    ),
    "role_denies": (
        "a policy of its role {role} denies {actions}",
        "Remove the Deny statement from role {role}: another policy can't allow it.",
    ),
    "not_registered": (
        "runs with a role that suffices, and has not registered with Systems Manager",
        "Install or restart the SSM Agent on it (an agent detects a new role within 30 minutes), and run "
        "check_connectivity for its VPC.",
    ),
    "agent_silent": (
        "its agent has not answered since {last}",
        "Restart the SSM Agent on it, and run check_connectivity for its VPC.",
    ),
    "hybrid_silent": (
        "its agent has not answered since {last}",
        "Restart the SSM Agent on it and check its way to the endpoints. If the machine no longer exists, deregister "
        "it: ssm_managed_node with state absent.",
    ),
    "arc_silent": (
        "it is not connected to Azure",
        "Run azcmagent check and azcmagent connect on it. If it no longer exists, delete the Azure Arc resource.",
    ),
    "old_agent": (
        "its agent {version} is older than {oldest}",
        "Set enrollment.update_agent in the policy and run enroll_nodes again, or run AWS-UpdateSSMAgent on it.",
    ),
    "no_executor": (
        "nothing patches it: it names no executor",
        "Set patchtide_executor in its host variables (linux, windows), register it with Systems Manager (by "
        "enrollment.onboarding of the policy, or by the role onboard_node), or exclude it in the policy with a reason.",
    ),
    "not_served": (
        "nothing patches it: {why}",
        "Correct patchtide_executor in its host variables, or exclude it in the policy with a reason.",
    ),
    "no_tag": (
        "has no tag {key}",
        "Set the tag {key}, or a default in enrollment.required_tags of the policy.",
    ),
    "bad_tag": ("its tag {key} is not valid: {why}", "Correct the tag {key}."),
    "misspelt_tag": ("has the tag {spelled} instead of {key}", "Rename the tag {spelled} to {key}."),
    "no_variable": (
        "has no tag {key}, and no cloud that keeps one",
        "Set {key} in patchtide_tags, patchtide_patch_group or patchtide_maintenance_window of its host variables.",
    ),
    "bad_variable": (
        "{key} in its host variables is not valid: {why}",
        "Correct {key} in patchtide_tags, patchtide_patch_group or patchtide_maintenance_window of its host variables.",
    ),
    "stated": ("{why}", "Correct the tag, or what the machine states in Custom:PatchInformation."),
    "no_wave": (
        "no wave of the policy selects it",
        "Correct its tags or patch group, extend the select of a wave, or exclude it in the policy with a reason.",
    ),
    "no_window": (
        "{why}",
        "Set the tag {key} to the name of a window of the policy, or let the wave name a window.",
    ),
    "repair_failed": ("could not {what}: {why}", "Correct this and run enroll_nodes again."),
}


def finding(code: str, **words: str) -> Finding:
    """Return a finding with its texts; ``words`` fill in what they name."""
    what, fix = MEANINGS[code]
    shown = {name: plain(value) for name, value in words.items()}
    return Finding(code=code, what=what.format(**shown), fix=fix.format(**shown))


def lines(rows: Sequence[Mapping[str, Any]], most: int = 8) -> Iterator[str]:
    """Yield the findings of all machines by owner, each with its fix once, and the first ``most`` machines.

    :param rows: ``{"name", "owner", "findings": [{"code", "what", "fix"}]}``.
    """
    owners: dict[str, dict[tuple[str, str], list[str]]] = {}
    for row in rows:
        for item in row["findings"]:
            same = owners.setdefault(str(row["owner"]), {})
            same.setdefault((item["what"], item["fix"]), []).append(str(row["name"]))
    for owner, found in sorted(owners.items()):
        yield f"{plain(owner) or 'No owner'}: {counted(sum(map(len, found.values())), 'finding')}"
        for (what, fix), names in found.items():
            more = f" and {len(names) - most} more" if len(names) > most else ""
            yield f"  {', '.join(map(plain, sorted(names)[:most]))}{more}: {what}"
            yield f"    Fix: {fix}"
