# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How far a plan pins what is installed on a node, and what remains open. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

#: The policy's ``patching.pin``: install from lists that are made from the plan, or what the baseline approves then.
LIST, BASELINE = "list", "baseline"
#: An executor that asks for KBs on Windows and for versions on Linux.
KB_OR_VERSIONS = "kb_or_versions"
#: The install takes whatever the node's update server offers, by the document that the policy's
#: ``patching.windows_document`` may name in place of the other one.
EVERYTHING, WINDOWS_UPDATES, RUN_BASELINE = "everything", "AWS-InstallWindowsUpdates", "AWS-RunPatchBaseline"
#: Updates that keep their KB number while their content changes: signatures, and the removal tool of each month.
KB_ONLY = frozenset({"KB2267602", "KB890830"})
#: For each value of a node's ``pin`` in the plan: what is certain, and what is not.
PINS: Mapping[str, tuple[str, str]] = {
    "list": (
        "no other version of a planned package is installed",
        "dependencies come in the version that the repositories offer, and a version that they no longer offer is not "
        "installed",
    ),
    "kb": (
        "no KB is installed that is not planned and approved by the baseline",
        "the content behind a KB number, and a KB that was replaced is not installed",
    ),
    "versions": (
        "exactly the planned versions are asked for",
        "dependencies, and a version that the repositories no longer offer is not installed",
    ),
    "kb_numbers": (
        "only the planned KBs are asked for",
        "the content behind a KB number, and a KB that was replaced is not installed",
    ),
    EVERYTHING: (
        "nothing; Windows Update decides when the node is patched, by AWS-InstallWindowsUpdates",
        "all that Windows Update or the node's WSUS server offers is installed, drivers and definitions included, "
        "approved by a baseline or not",
    ),
    BASELINE: (
        "nothing; the baseline decides when the node is patched",
        "patches that are approved after the plan are installed as well",
    ),
}


def pin_of(offered: str, platform: str, wanted: str, *, everything: bool = False) -> str:
    """Return how a node is pinned: a key of ``PINS``.

    :param offered: what its executor can do. :param wanted: the policy's ``patching.pin``.
    :param everything: whether Windows nodes of Systems Manager install whatever they are offered.
    """
    if offered == KB_OR_VERSIONS:
        return "kb_numbers" if platform == "windows" else "versions"
    if offered != LIST:
        return offered
    if everything and platform == "windows":
        return EVERYTHING
    if wanted != LIST:
        return BASELINE
    return "kb" if platform == "windows" else LIST


def content_open(patch_ids: Iterable[str]) -> list[str]:
    """Return the planned KBs whose content can change under the same number."""
    return sorted({patch_id for patch_id in patch_ids if patch_id.upper() in KB_ONLY})
