# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The permissions of Azure that are documented are those of the calls that the collection makes on the lab."""

from __future__ import annotations

from ansible_collections.patchtide.hybrid.plugins.module_utils._azure.permissions import ARC, MODULES, ROLLOUT, VM

from lab.azure.routes import ROUTES

#: The lab knows it, and nothing of the collection calls it: a machine that is powered off is still billed.
UNUSED = {f"{VM}/powerOff/action"}
#: What Azure checks beside the call itself: it joins what a network interface names, and reads operations.
BESIDE = ("/join/action", "/operations/read", "/updateCenterOperationResults/read")


def test_the_table_has_every_call_of_the_lab_that_a_reader_may_not_make() -> None:
    """ "Reader: */read" (built-in roles); reading a run command is named, because the role for rollouts writes it."""
    verbs = ("start", "restart", "powerOff", "deallocate")
    called = {route.permission.format(verb=verb) for route in ROUTES for verb in verbs} - {""} - UNUSED
    listed = {action for row in (*ROLLOUT, *MODULES) for action in row.actions}
    assert {name for name in called if not name.endswith("/read")} <= listed
    assert {name for name in listed if not name.endswith(BESIDE)} <= called


def test_each_purpose_names_its_actions_once() -> None:
    for row in (*ROLLOUT, *MODULES):
        assert len(set(row.actions)) == len(row.actions) and row.needed
    assert f"{ARC}/installPatches/action" in ROLLOUT[1].actions
