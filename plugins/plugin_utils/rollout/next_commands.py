# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What comes after a step of a rollout, as command lines with the inventory, policy and directory of this run.

Every playbook begins with ``after``, so what only rollouts need is imported where it is used: it takes longer to import
than all the rest of that task.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from datetime import datetime
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ansible import constants as C
from ansible import context

from ...module_utils._core.report.next_words import Commands, after_check, after_playbook, after_run
from ...module_utils._core.text import plain

if TYPE_CHECKING:
    from .folder import RolloutDir

_POLICY_FILE = "patchtide_policy_file"
#: Of the setting DEFAULT_HOST_LIST (ansible-core, config/base.yml).
_DEFAULT_INVENTORY = "/etc/ansible/hosts"


def to_commands(folder: str | Path, task_vars: Mapping[str, Any], template: Callable[[Any], Any]) -> Commands:
    """Return the command lines of this run.

    :param template: evaluates a variable.
    """
    from .folder import CATCH_UP

    missed, policy = Path(folder) / CATCH_UP, task_vars.get(_POLICY_FILE)
    return Commands(
        folder=str(folder),
        again=str(_unused(Path(folder))),
        missed=str(missed) if missed.is_file() else "",
        policy_file=str((template(policy) if policy else "") or _policy_of(Path(folder))),
        inventory=_inventory(),
    )


def after(playbook: str, given: Mapping[str, Any], now: datetime, *, check: bool) -> str:
    """Return what follows a playbook that always has the same successor; empty if it has none.

    :param given: its variables, without prefix. :param check: whether it runs in check mode.
    """
    month, policy = Path(f"{now:%Y-%m}"), str(given.get("policy_file") or "")
    folder = _unused(month) if month.exists() else month
    commands = Commands(folder=str(folder), policy_file=policy, inventory=_inventory() or _beside(policy))
    text = after_playbook(playbook, given, commands)
    return plain(after_check(sys.argv) if text and check else text)


def next_of(rollout: RolloutDir, task_vars: Mapping[str, Any], template: Callable[[Any], Any]) -> dict[str, str]:
    """Return what a rollout needs next (``need``), and how to give it (``next``)."""
    from .sharing import agenda_of

    found = agenda_of(rollout, rollout.clock.now())
    commands = to_commands(rollout.path, task_vars, template)
    return {"need": found.need.value, "next": plain(after_run(rollout.state, found, commands))}


def _policy_of(folder: Path) -> Path:
    """Return policy.yml in a directory or the nearest one above it, as ``rollout_due`` finds it."""
    places = (folder, *folder.absolute().parents)
    return next((path for place in places if (path := place / "policy.yml").is_file()), Path("policy.yml"))


def _inventory() -> tuple[str, ...]:
    """Return what was given with ``-i``; Ansible puts its own setting there if nothing was."""
    given = context.CLIARGS.get("inventory") or ()
    return () if list(given) == list(C.DEFAULT_HOST_LIST) else tuple(map(str, given))


def _beside(policy: str) -> tuple[str, ...]:
    """Return the inventory that init_policy drafted beside the policy, where no inventory is given or configured."""
    found = Path(policy).parent / "inventory"
    configured = list(C.DEFAULT_HOST_LIST) != [_DEFAULT_INVENTORY]
    return () if configured or not found.is_dir() else (str(found),)


def _unused(folder: Path) -> Path:
    """Return the next free directory beside ``2026-12`` or ``2026-12-2``: ``2026-12-2``, ``2026-12-3`` and so on."""
    first, _dash, number = folder.name.rpartition("-")
    name = first if number.isdigit() and first and folder.with_name(first).exists() else folder.name
    return next(path for index in count(2) if not (path := folder.with_name(f"{name}-{index}")).exists())
