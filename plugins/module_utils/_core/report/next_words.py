# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What to do next, as the last line of a run: one way on, with a command that works as it is printed. Pure."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # every playbook begins with this module, most of them know no rollout
    from ..rollout.agenda import Agenda
    from ..rollout.state import Rollout

#: Values that ``-e name=value`` takes as they are (Ansible, ``parse_kv``).
_SIMPLE = re.compile(r"[\w./:@+-]+", re.ASCII)
#: Several words that YAML takes as they are. Unlike JSON they have no ``"``, which Ansible's output shows as ``\"``.
_WORDS = re.compile(r"[\w./][\w./@+ -]*[\w./]", re.ASCII)


#: Options of ansible-playbook for check mode and for differences.
_CHECKS = frozenset(("--check", "-C", "--diff", "-D", "-CD", "-DC"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Commands:
    """Command lines for a rollout.

    :param folder: directory of the rollout. :param again: one for another plan of what is left.
    :param missed: path of catch_up.json, empty if there is none. :param inventory: what was given with ``-i``.
    """

    folder: str
    again: str = ""
    missed: str = ""
    policy_file: str = ""
    inventory: tuple[str, ...] = ()

    def play(self, playbook: str, **variables: str) -> str:
        """Return the command line of a playbook for a POSIX shell."""
        words = ["ansible-playbook", f"patchtide.hybrid.{playbook}"]
        words += [word for path in self.inventory for word in ("-i", path)]
        for name, value in variables.items():
            words += ["-e", _extra_variable(f"patchtide_{name}", value)]
        return shlex.join(words)

    def roll_out(self, **variables: str) -> str:
        """Return the command line that starts or continues the rollout."""
        return self.play("rollout_patches", policy_file=self.policy_file, dir=self.folder, **variables)

    def plan_again(self) -> str:
        """Return the command line that scans again, and plans what is left."""
        given = {"policy_file": self.policy_file, "dir": self.again}
        more = {"catch_up": self.missed} if self.missed else {}
        return f"{self.play('scan_compliance', **given)} && {self.play('plan_rollout', **given, **more)}"


def _extra_variable(name: str, value: str) -> str:
    """Return a variable in a form that ``-e`` reads, and that can be copied from the output of a task if possible."""
    if _SIMPLE.fullmatch(value):
        return f"{name}={value}"
    return f"{{{name}: {value}}}" if _WORDS.fullmatch(value) else json.dumps({name: value})


def after_draft(folder: str) -> str:
    """Return what follows the draft of a policy in a directory."""
    check = Commands(folder="").play("apply_policy", policy_file=f"{folder}/policy.yml")
    return f"Read {folder}/policy.yml. Next: {check} --check --diff"


def after_check(line: Sequence[str]) -> str:
    """Return what follows a run in check mode: the same without it.

    :param line: the command line.
    """
    words = [line[0].rpartition("/")[2], *(word for word in line[1:] if word not in _CHECKS)]
    return f"Nothing was changed. Next: {shlex.join(words)}"


def after_playbook(playbook: str, given: Mapping[str, Any], commands: Commands) -> str:
    """Return what follows a playbook that always has the same successor; empty if it has none.

    :param given: its variables.
    """
    if playbook == "choose_window":
        names = ("policy_file", "window_ledger", "inventory_dir")
        return f"Next: {commands.play('sync_windows', **{name: str(given[name]) for name in names if name in given})}"
    if playbook == "bootstrap_estate":
        return f"Next: {commands.play('init_policy')}"
    if playbook in ("apply_policy", "sync_windows"):
        return f"Next: {commands.play('scan_compliance', policy_file=commands.policy_file, dir=commands.folder)}"
    return ""


def after_approval(plan: Mapping[str, Any], commands: Commands, *, approved: bool | None) -> str:
    """Return what follows a look at a plan's approvals.

    :param approved: whether it has all that it needs; ``None`` if this controller verifies none.
    """
    if approved is None:
        return f"Next: {commands.roll_out(approved_digest=plan['digest'])}"
    if approved:
        return f"Next: {commands.roll_out()}"
    return f"When they have signed, next: {commands.play('approve_plan', dir=commands.folder)}"


def after_scan(commands: Commands) -> str:
    """Return what follows a scan."""
    return f"Next: {commands.play('plan_rollout', policy_file=commands.policy_file, dir=commands.folder)}"


def after_plan(plan: Mapping[str, Any], commands: Commands, *, signed: bool) -> str:
    """Return what follows a plan: who reads it, and how it starts.

    :param signed: whether people approve it with their signatures.
    """
    opens = next((night["local"] for wave in plan["waves"] for night in wave.get("nights", ())), "")
    first = f" Its first night is {opens}; run_due begins it then." if opens else ""
    approve = commands.play("approve_plan", dir=commands.folder)
    have = f"have it approved ({approve} shows how)" if signed else "have its digest approved"
    start = commands.roll_out(**({} if signed else {"approved_digest": plan["digest"]}))
    return f"Read {commands.folder}/plan.html and {have}.{first} Next: {start}"


def after_run(state: Rollout, found: Agenda, commands: Commands) -> str:
    """Return what follows a run of a rollout.

    :param found: what it needs next.
    """
    from ..rollout.agenda import Need

    if found.need is Need.OVER or (state.finished and state.status == "aborted"):
        return f"Scan and plan what is left in a new directory, and have it approved. Next: {commands.plan_again()}"
    if state.status == "paused":
        return _after_pause(state, commands)
    if found.need is Need.FINISHED:
        return f"Read {commands.folder}/report/index.html. Next cycle: {commands.plan_again()}"
    when = f" at {found.at:%Y-%m-%d %H:%M} UTC" if found.need is Need.WAITING and found.at else ""
    return f"{_sentence(found.text)} run_due does this by itself. Next{when}: {commands.roll_out()}"


def _after_pause(state: Rollout, commands: Commands) -> str:
    wave = next(item.name for item in state.waves.values() if item.status == "paused")
    steer = commands.play(
        "steer_rollout", dir=commands.folder, wave=wave, decision="retry", reason="Write here why you decide so"
    )
    return (
        f"Find the reasons in {commands.folder}/report/index.html and decide on wave {wave}: {steer} (or promote, skip "
        f"or abort instead of retry). To let the gate judge again without a decision, next: {commands.roll_out()}"
    )


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."
