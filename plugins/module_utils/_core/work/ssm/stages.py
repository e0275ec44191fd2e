# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The stages that Run Command carries out: host probe, install, reboot, scan, and the final look."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from ...errors import AccessDenied, PatchtideError
from ...model import Patch, Status
from ..final_record import error, final_record, is_pending, lost_record
from ..host_probe import to_probe, to_reboot_script
from ..node_answer import BadAnswer, not_understood, words
from ..packages_changed import read_changes
from ..precheck import PrecheckRules, evaluate_probe, parse_probe, ways_of
from ..proof import Row
from .ports import FleetPort, Invocation, PatchState
from .stagerun import Ended
from .statuses import ENDED, REFUSED, patch_status

SHELL = {"linux": "AWS-RunShellScript", "macos": "AWS-RunShellScript", "windows": "AWS-RunPowerShellScript"}
BASELINE = "AWS-RunPatchBaseline"
#: The node writes the end of an operation by its own clock.
_SKEW = timedelta(minutes=2)
#: No node has so many patches.
_MOST = 1_000_000
_LISTED = ("Missing", "Failed", "InstalledPendingReboot")


def script_request(platform: str, script: str, timeout_seconds: int) -> tuple[str, dict[str, list[str]]]:
    """Return (document, parameters) that run a script on nodes of a platform."""
    return SHELL[platform], {"commands": _lines(script), "executionTimeout": [str(timeout_seconds)]}


@lru_cache(maxsize=4)
def _lines(script: str) -> list[str]:
    """One list for all chunks of nodes that run the same script."""
    return script.splitlines()


def probe_request(
    platform: str,
    timeout_seconds: int,
    services: str = "",
    key: str = "",
    packages: str = "",
    endpoints: Sequence[str] = (),
) -> tuple[str, dict[str, list[str]]]:
    """Return (document, parameters) of the host probe; ``services`` to ``endpoints`` as for ``to_probe``."""
    return script_request(platform, to_probe(platform, services, key, packages, endpoints), timeout_seconds)


def reboot_request(platform: str, token: str, timeout_seconds: int) -> tuple[str, dict[str, list[str]]]:
    """Return (document, parameters) of the reboot: the script asks the agent for it and runs again afterwards."""
    return script_request(platform, to_reboot_script(platform, token), timeout_seconds)


def baseline_request(operation: str, snapshot_id: str, override_list: str = "") -> tuple[str, dict[str, list[str]]]:
    """Return (document, parameters) of a Scan or an Install. The reboot is a stage of its own, after all patches.

    A list never goes with a BaselineOverride, which ends the document, nor to AWS-RunPatchBaselineWithHooks, which has
    no such parameter (user guide, SSM command documents for patching).

    :param snapshot_id: a GUID. Without it, each node gets a set of patches of its own, and no state could be told from
        an older one. :param override_list: the address of a list; the service ignores it in a Scan.
    """
    parameters = {"Operation": [operation], "RebootOption": ["NoReboot"], "SnapshotId": [snapshot_id]}
    if override_list and operation == "Install":
        parameters["InstallOverrideList"] = [override_list]
    return BASELINE, parameters


def to_result(node_id: str, invocation: Invocation, status: Status, **more: Any) -> dict[str, Any]:
    """Return a node's result; one that is no success says what its invocation said last."""
    result = {
        "node_id": node_id,
        "status": status.value,
        "started_at": invocation.started_at,
        "ended_at": invocation.ended_at,
        **more,
    }
    if not status.is_good and "error" not in more:
        text = invocation.output.strip()[-300:] or f"its invocation ended {invocation.status}"
        result["error"] = error(invocation.status, text)
    return result


def unreadable_result(node_id: str, why: PatchtideError) -> dict[str, Any]:
    """Return the result of a node whose state could not be read."""
    return {"node_id": node_id, "status": Status.UNKNOWN.value, "error": error("unreadable", str(why))}


def _each(
    ended: Ended,
    nodes: Iterable[str],
    one: Callable[[str, Invocation], dict[str, Any]],
    unreadable: Callable[[str, PatchtideError], dict[str, Any]],
) -> list[dict[str, Any]]:
    """Judge nodes one by one: an answer at which something breaks is that node's own outcome, and the others go on.

    A node whose state can't be read now is asked again, for a while. :raises AccessDenied: none of them can be read.
    """
    results = []
    for node_id in nodes:
        try:
            results.append(one(node_id, ended.rows[node_id]))
        except AccessDenied:
            raise
        except Exception as why:
            trouble = not_understood(why)
            if isinstance(trouble, BadAnswer) or node_id in ended.final:
                results.append(unreadable(node_id, trouble))
            else:
                ended.troubles.append(trouble)
    return results


def _counts(state: PatchState) -> dict[str, int]:
    """:raises BadAnswer: the node's patch state has something else than counts."""
    for name, value in state.counts.items():
        if not isinstance(value, int) or isinstance(value, bool) or abs(value) > _MOST:
            shown = value if isinstance(value, str) else type(value).__name__
            raise BadAnswer(f"its patch state has {name} {words(shown, 40)!r}, expected a number of patches")
    return dict(state.counts)


def _states(ended: Ended, port: FleetPort, operation: str) -> dict[str, PatchState]:
    """Return the patch states that are this command's work; last month's, or another scan's, are not.

    A document that fails early uploads nothing and leaves the old row, and uploads take up to a minute.
    """
    reached = [node for node, row in ended.rows.items() if ENDED[row.status] is not Status.UNREACHABLE]
    states = port.patch_states(sorted(reached)) if reached else []
    ours = (state for state in states if state.node_id in ended.rows)
    return {state.node_id: state for state in ours if _is_ours(state, ended, operation)}


def _is_ours(state: PatchState, ended: Ended, operation: str) -> bool:
    """A state is ours if operation, snapshot and list are; a snapshot that somebody gives twice is told by the time."""
    at = state.operation_ended_at
    if state.operation != operation or not isinstance(at, datetime) or at.tzinfo is None:
        return False
    if state.snapshot_id.lower() != _given(ended, "SnapshotId").lower():
        return False
    if operation == "Install" and state.override_list != _given(ended, "InstallOverrideList"):
        return False
    return at >= ended.since - _SKEW


def _given(ended: Ended, name: str) -> str:
    """Return a parameter that the document was given."""
    return next(iter(ended.parameters.get(name, ())), "")


def _is_ready(node_id: str, ended: Ended, states: Mapping[str, PatchState]) -> bool:
    """Tell whether a node can be judged: its state has come, none can come, or it was waited for long enough."""
    reached = ENDED[ended.rows[node_id].status] is not Status.UNREACHABLE
    return node_id in states or not reached or node_id in ended.final


def _without_state(node_id: str, row: Invocation) -> dict[str, Any]:
    """Return the result of a node whose patch state never came: what it says itself may be true, nobody can tell."""
    status = ENDED[row.status]
    if not status.is_good:
        return to_result(node_id, row, status)
    why = error("no_state", "the command ended Success, but the node reported no patch state of it")
    return to_result(node_id, row, Status.UNKNOWN, error=why)


def _unproven(node_id: str, row: Invocation) -> dict[str, Any]:
    """Return the result of a pinned install without a state of its own: a list that can't be read installs nothing and
    uploads nothing, and on SUSE any failure uploads nothing even after installs (AWS's payload as published in
    tekumara/aws-ssm-patch-manager, 2021). The scan tells what it left behind."""
    result = _without_state(node_id, row)
    if result["status"] == Status.FAILED.value:
        said = result["error"]["text"]
        text = f"the install failed and reported nothing, as it does where its list can't be read: {said}"
        return {**result, "status": Status.UNKNOWN.value, "error": error("no_state", text)}
    return result


def _evidence(state: PatchState) -> dict[str, Any]:
    listed = {"override_list": state.override_list} if state.override_list else {}
    return {"baseline_id": state.baseline_id, "snapshot_id": state.snapshot_id, **listed}


@dataclass(slots=True)
class InstallStage:
    """AWS-RunPatchBaseline Install without its own reboot.

    With NoReboot the document marks whatever it brought in, dependencies included, as InstalledPendingReboot (AWS's
    payload as published in tekumara/aws-ssm-patch-manager, 2021); that is read before the scan overwrites it.

    :param before: by node the titles that were pending before; ``None`` where what came in is not asked for.
    """

    before: Mapping[str, Sequence[str]] | None = None
    name: str = "patch"
    with_output: bool = False

    def evaluate(self, ended: Ended, port: FleetPort) -> list[dict[str, Any]]:
        states = _states(ended, port, "Install")
        ready = [node_id for node_id in ended.rows if _is_ready(node_id, ended, states)]
        pinned = bool(_given(ended, "InstallOverrideList"))
        return _each(
            ended, ready, lambda node, row: self._one(node, row, states.get(node), port, pinned), self.unreadable
        )

    def _one(
        self, node_id: str, row: Invocation, state: PatchState | None, port: FleetPort, pinned: bool
    ) -> dict[str, Any]:
        if state is None:
            return _unproven(node_id, row) if pinned else _without_state(node_id, row)
        counts = _counts(state)
        wanted = [state for state, count in self._open(counts).items() if count]
        patches = port.patches(node_id, wanted) if wanted else []
        return to_result(
            node_id,
            row,
            patch_status(ENDED[row.status], state),
            counts=counts,
            failed=_ids(patches, "FAILED"),
            pending_reboot=is_pending(counts),
            evidence=_evidence(state),
            **self._arrived(node_id, patches),
        )

    def _open(self, counts: Mapping[str, int]) -> dict[str, int]:
        """Return the states that are read, with their counts."""
        pending = counts.get("installed_pending_reboot_count", 0) if self.before is not None else 0
        return {"Failed": counts.get("failed_count", 0), "InstalledPendingReboot": pending}

    def _arrived(self, node_id: str, patches: Sequence[Patch]) -> dict[str, Any]:
        if self.before is None:
            return {}
        known = frozenset(self.before.get(node_id, ()))
        came = [item for item in patches if item.state == "INSTALLED_PENDING_REBOOT" and item.title not in known]
        return {"arrived": [_row(item) for item in came]}

    def unreadable(self, node_id: str, why: PatchtideError) -> dict[str, Any]:
        return unreadable_result(node_id, why)


@dataclass(slots=True)
class ScanStage:
    """AWS-RunPatchBaseline Scan: what is missing now. ``details`` keeps severities and what is pending, for the plan.

    :param planned: by node the ids that were planned and did not come in, as far as that is known: the scan has to say
        what became of those that it does not list as missing.
    """

    details: bool = False
    planned: Mapping[str, Sequence[str]] | None = None
    name: str = "scan"
    with_output: bool = False

    def evaluate(self, ended: Ended, port: FleetPort) -> list[dict[str, Any]]:
        states = _states(ended, port, "Scan")
        ready = [node_id for node_id in ended.rows if _is_ready(node_id, ended, states)]
        return _each(ended, ready, lambda node, row: self._one(node, row, states.get(node), port), self.unreadable)

    def _one(self, node_id: str, row: Invocation, state: PatchState | None, port: FleetPort) -> dict[str, Any]:
        status = ENDED[row.status]
        if row.status == REFUSED:
            status = Status.UNKNOWN  # trouble of the place: the node was worked on, and nobody could look
        if status.is_good and state is None:
            return _without_state(node_id, row)
        if not status.is_good or state is None:
            return to_result(node_id, row, status)
        counts = _counts(state)
        open_count = sum(counts.get(f"{name}_count", 0) for name in ("missing", "failed", "installed_pending_reboot"))
        patches = port.patches(node_id, _LISTED) if open_count else []
        missing = [item for item in patches if item.state == "MISSING"]
        told = Patch.to_dict if self.details else _row
        more: dict[str, Any] = {"missing": [told(item) for item in missing]}
        if self.details:
            more["pending"] = [item.title for item in patches if item.state == "INSTALLED_PENDING_REBOOT"]
        if counts.get("installed_rejected_count"):
            more["rejected"] = [told(item) for item in port.patches(node_id, ["InstalledRejected"])]
        if self.planned is not None:
            more |= self._became(node_id, missing, port)
        return to_result(
            node_id,
            row,
            status,
            counts=counts,
            missing_after=_ids(patches, "MISSING"),
            failed=_ids(patches, "FAILED"),
            pending_reboot=is_pending(counts),
            evidence={"baseline_id": state.baseline_id},
            **more,
        )

    def _became(self, node_id: str, missing: Sequence[Patch], port: FleetPort) -> dict[str, Any]:
        """Return what is known of planned patches that neither came in nor are missing: are they installed?"""
        open_ids = {item.id for item in missing}
        unclear = [patch_id for patch_id in (self.planned or {}).get(node_id, ()) if patch_id not in open_ids]
        found = port.patches(node_id, [], unclear) if unclear else []
        more: dict[str, Any] = {"unclear": [{**_row(item), "state": item.state} for item in found]}
        if any(patch_id.upper().startswith("KB") for patch_id in set(unclear) - {item.id for item in found}):
            more["offered"] = [_row(item) for item in port.patches(node_id, ["AvailableSecurityUpdate"])]
        return more

    def unreadable(self, node_id: str, why: PatchtideError) -> dict[str, Any]:
        return unreadable_result(node_id, why)


def _row(patch: Patch) -> dict[str, str]:
    return {"id": patch.id, "title": patch.title}


def _ids(patches: Sequence[Patch], state: str) -> list[str]:
    return [patch.id for patch in patches if patch.state == state]


@dataclass(slots=True)
class PrecheckStage:
    """The host probe before the work, judged against the policy's thresholds. ``ways``: whether it tried endpoints."""

    rules: PrecheckRules
    ways: bool = False
    name: str = "precheck"
    with_output: bool = True

    def evaluate(self, ended: Ended, port: FleetPort) -> list[dict[str, Any]]:
        return _each(ended, ended.rows, self._one, self.unreadable)

    def _one(self, node_id: str, row: Invocation) -> dict[str, Any]:
        if ENDED[row.status] is not Status.SUCCEEDED:
            text = row.output.strip()[-300:] or f"the probe did not run: {row.status}"
            held = {"node_id": node_id, "outcome": "skip", "findings": [_finding("agent", text)], "facts": {}}
            if ENDED[row.status] in (Status.UNREACHABLE, Status.UNKNOWN):
                return {**held, "status": Status.UNREACHABLE.value, "error": error(row.status, text)}
            return held
        ways = {"ways": ways_of(row.output)} if self.ways else {}
        return {"node_id": node_id, **evaluate_probe(row.output, self.rules).to_dict(), **ways}

    def unreadable(self, node_id: str, why: PatchtideError) -> dict[str, Any]:
        return {"node_id": node_id, "outcome": "skip", "findings": [_finding("agent", str(why))], "facts": {}}


def _finding(check: str, text: str) -> dict[str, Any]:
    return {"check": check, "ok": False, "text": words(text)}


@dataclass(slots=True)
class RebootStage:
    """The reboot script. It ends Success only after the node came back with another boot id."""

    name: str = "reboot"
    with_output: bool = True

    def evaluate(self, ended: Ended, port: FleetPort) -> list[dict[str, Any]]:
        return _each(ended, ended.rows, self._one, self.unreadable)

    def _one(self, node_id: str, row: Invocation) -> dict[str, Any]:
        facts = parse_probe(row.output) or {}
        status = Status.UNKNOWN if row.status == REFUSED else ENDED[row.status]
        boots = {key: facts.get(key) for key in ("boot_id_before", "boot_id_after")}
        return to_result(node_id, row, status, rebooted=status.is_good, **boots)

    def unreadable(self, node_id: str, why: PatchtideError) -> dict[str, Any]:
        return unreadable_result(node_id, why)


@dataclass(slots=True)
class AgentStage:
    """AWS-UpdateSSMAgent. It restarts the agent, so that its last word may be lost: whoever needs the agent asks it."""

    name: str = "agent"
    with_output: bool = False

    def evaluate(self, ended: Ended, port: FleetPort) -> list[dict[str, Any]]:
        return [to_result(node_id, row, ENDED[row.status]) for node_id, row in ended.rows.items()]

    def unreadable(self, node_id: str, why: PatchtideError) -> dict[str, Any]:
        return unreadable_result(node_id, why)


@dataclass(slots=True)
class VerifyStage:
    """The host probe after the work; its result is the node's final record.

    :param nodes: the plan's nodes by id; a node's own ``reboot_rule`` counts before the wave's.
    :param results: their stage results so far. ``now`` returns ISO time.
    :param listed: by the name of a list its rows.
    """

    nodes: Mapping[str, Mapping[str, Any]]
    results: Mapping[str, Mapping[str, Mapping[str, Any]]]
    reboot_rule: str
    now: Callable[[], str]
    listed: Mapping[str, Sequence[Row]] = field(default_factory=dict)
    name: str = "verify"
    with_output: bool = True

    def evaluate(self, ended: Ended, port: FleetPort) -> list[dict[str, Any]]:
        return _each(ended, ended.rows, lambda node, row: self._one(node, row, ended, port), self.unreadable)

    def _one(self, node_id: str, row: Invocation, ended: Ended, port: FleetPort) -> dict[str, Any]:
        """Judge a node; where the list of invocations cut what changed, the invocation itself has the rest."""
        facts = parse_probe(row.output)
        changes = read_changes(facts)
        if changes is not None and not changes[1] and ended.command_id:
            facts = parse_probe(port.output(ended.command_id, node_id)) or facts
        return self._final(node_id, facts)

    def _final(self, node_id: str, facts: Mapping[str, Any] | None) -> dict[str, Any]:
        node = self.nodes[node_id]
        rule = node.get("reboot_rule") or self.reboot_rule
        listed = self.listed.get(str(node.get("list") or ""), ())
        record = final_record(node, self.results[node_id], facts, self.now(), rule, listed)
        return record.to_dict()

    def unreadable(self, node_id: str, why: PatchtideError) -> dict[str, Any]:
        try:
            return self._final(node_id, None)
        except Exception:  # what an earlier stage left can't be judged either
            return lost_record(self.nodes[node_id], Status.UNKNOWN, "unreadable", str(why), self.now()).to_dict()
