# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`python -m lab.rehearse --policy policy.yml --estate estate.yml`: a policy on an exported estate, in virtual time.

The estate file is what the playbook rehearsal_export writes. Nothing of the real estate is reached: AWS is simulated,
and the credentials of the environment are not used. Nights pass in seconds.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from lab.aws.launch import ROOT, Lab, lab
from lab.rehearsal_page import summarize, to_page
from lab.screen import Screen

#: Faults of choice, as the estate file of the lab has them.
FAULTS: Mapping[str, Mapping[str, Any]] = {
    "offline": {"offline": True},
    "full_disk": {"disk_free_mb": 40},
    "install_fails": {"fail_patches": ["*"]},
    "never_back": {"never_back": True},
    "no_reboot": {"no_reboot": True},
    "slow": {"slow": 3},
    "agent_dies": {"agent_gone_after": 120, "agent_gone_for": 1800},
    "app_down": {"app_down": True},
}
WAIT_MINUTES = 60 * 24 * 45
POLL_SECONDS = 120
#: A gate that pauses again and again is not passed for ever.
MOST_DECISIONS = 12
_ROLE = "role/"


class Mistake(Exception):
    """A file or an option that cannot be used; the text says what would be right."""


@dataclass(slots=True)
class Rehearsal:
    """One run. ``omitted``: parts of the policy that the rehearsal does without, in words."""

    folder: Path
    policy: dict[str, Any]
    estate: dict[str, Any]
    omitted: list[str] = field(default_factory=list)
    faulty: dict[str, list[str]] = field(default_factory=dict)
    decisions: list[str] = field(default_factory=list)
    status: int = 0

    def variables(self) -> dict[str, Any]:
        return {
            "patchtide_policy_file": str(self.folder / "policy.yml"),
            "patchtide_dir": str(self.folder),
            "patchtide_window_wait_minutes": WAIT_MINUTES,
            "patchtide_poll_interval": POLL_SECONDS,
        }


def main(arguments: Sequence[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    try:
        rehearsal = prepare(options)
    except Mistake as mistake:
        print(f"rehearse: {mistake}", file=sys.stderr)
        return 2
    began = time.monotonic()
    screen = Screen(rehearsal.folder / "rehearsal.log")
    print(f"{len(rehearsal.estate['groups'])} nodes; everything below is simulated. Log: {screen.log}", flush=True)
    with lab(estate=rehearsal.folder / "lab_estate.yml", at=options.at) as aws:
        _make_buckets(aws, rehearsal.policy)
        run(rehearsal, aws, screen, stop=options.on_pause == "stop")
        ledger = aws.get("ledger")
    for line in summarize(rehearsal, ledger):
        screen.say(line)
    page = rehearsal.folder / "index.html"
    page.write_text(to_page(rehearsal, ledger), "utf-8")
    screen.say(f"\n{time.monotonic() - began:.0f} seconds. Open {page}")
    return rehearsal.status


def run(rehearsal: Rehearsal, aws: Lab, screen: Screen, *, stop: bool) -> None:
    """Run the cycle. A gate that pauses is passed by a decision, unless the rehearsal is to stop there."""
    shown = {
        "apply_policy": (r"\d: baselines",),
        "scan_compliance": (r"nodes scanned",),
        "plan_rollout": (r"^    WARNING", r"^      \S", r"^    Left out"),
        "rollout_patches": (r"its window opens", r" gate: ", r"^      \S.*limit", r"NOT_SERVED"),
        "report_compliance": (),
    }

    def play(playbook: str, more: Mapping[str, Any] | None = None) -> int:
        screen.say(f"\n━━━ {playbook}")
        variables = json.dumps({**rehearsal.variables(), **(more or {})})
        command = [*_command(playbook), "-i", str(rehearsal.folder / "inventory"), "-e", variables]
        status, lines = screen.run(
            command, shown.get(playbook, ()), _environment(aws, rehearsal.folder), rehearsal.folder
        )
        if status and playbook != "rollout_patches":
            screen.fail(status, lines)
        return status

    for playbook in ("apply_policy", "scan_compliance", "plan_rollout"):
        rehearsal.status = play(playbook)
        if rehearsal.status:
            return
    for _attempt in range(MOST_DECISIONS):
        rehearsal.status = play("rollout_patches")
        wave = paused_wave(rehearsal.folder)
        if not wave or wave in rehearsal.decisions:
            break
        rehearsal.decisions.append(wave)
        if stop:
            break
        decision = {
            "patchtide_decision": "promote",
            "patchtide_wave": wave,
            "patchtide_reason": "Rehearsal: see the rest",
        }
        if play("steer_rollout", decision):
            break
    play("report_compliance")


def paused_wave(folder: Path) -> str:
    """Return the wave whose gate has paused last, if nothing came after it; "" otherwise."""
    try:
        records = [json.loads(line) for line in (folder / "journal.jsonl").read_text("utf-8").splitlines()]
    except FileNotFoundError:
        return ""
    gates = [record["data"] for record in records if "verdict" in record["data"] and "wave" in record["data"]]
    return str(gates[-1]["wave"]) if gates and gates[-1]["verdict"] == "pause" else ""


def prepare(options: argparse.Namespace) -> Rehearsal:
    """Read policy and estate, choose the faulty nodes and write what the run needs. :raises Mistake:"""
    policy, estate = _read(options.policy, "--policy"), _read(options.estate, "--estate")
    if "waves" not in policy:
        raise Mistake(f"--policy {options.policy}: a policy file is needed, and this has no waves")
    if "groups" not in estate or "systems" not in estate:
        raise Mistake(f"--estate {options.estate}: a file of the playbook rehearsal_export is needed")
    folder = Path(options.out).absolute()
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "inventory").mkdir(parents=True)
    rehearsal = Rehearsal(folder, policy, estate)
    _set_faults(rehearsal, options.fault, options.seed)
    _fit_policy(rehearsal, Path(options.policy).absolute().parent)
    _fit_estate(rehearsal)
    accounts = policy.get("estate", {}).get("accounts")
    regions = policy.get("estate", {}).get("regions") or estate["regions"]
    fleet = {"plugin": "patchtide.hybrid.ssm_fleet", "regions": regions, **({"accounts": accounts} if accounts else {})}
    for name, data in (("inventory/aws.ssm_fleet.yml", fleet), ("policy.yml", policy), ("lab_estate.yml", estate)):
        (folder / name).write_text(yaml.safe_dump(data, sort_keys=False, allow_unicode=True), "utf-8")
    return rehearsal


def _read(path: str, option: str) -> dict[str, Any]:
    try:
        data = yaml.safe_load(Path(path).read_text("utf-8"))
    except OSError as error:
        raise Mistake(f"{option} {path}: {error.strerror}; a file is needed") from error
    except yaml.YAMLError as error:
        raise Mistake(f"{option} {path}: {' '.join(str(error).split())[:200]}; a YAML file is needed") from error
    if not isinstance(data, dict):
        raise Mistake(f"{option} {path}: a YAML file with keys is needed")
    return data


def _set_faults(rehearsal: Rehearsal, wanted: Sequence[str], seed: int) -> None:
    """Give faults to nodes by chance: ``offline=5%`` or ``full_disk=3``. A node has one of them at most."""
    chance = random.Random(seed)
    free = [group for group in rehearsal.estate["groups"] if group.get("managed", True)]
    chance.shuffle(free)
    for text in wanted:
        name, _equals, size = text.partition("=")
        digits = size.removesuffix("%")
        if name not in FAULTS or not digits.isdigit() or int(digits) < 1:
            raise Mistake(f"--fault {text}: write it as {'|'.join(FAULTS)}=5% or =3 (nodes)")
        total = len(rehearsal.estate["groups"])
        count = max(1, round(total * int(digits) / 100)) if size.endswith("%") else int(digits)
        chosen, free = free[:count], free[count:]
        for group in chosen:
            group.update(FAULTS[name])
        rehearsal.faulty[name] = sorted(str(group["name"]) for group in chosen)


def _fit_policy(rehearsal: Rehearsal, home: Path) -> None:
    """Take out what would reach outside or needs people; each is named in the summary."""
    policy, omitted = rehearsal.policy, rehearsal.omitted
    gates = [policy.get("gates") or {}, *((wave.get("gate") or {}) for wave in policy["waves"])]
    checks = [gate.pop("health_checks", None) for gate in gates]
    if any(checks):
        omitted.append("health checks of the gates are not run")
    hooks = policy.get("hooks") or {}
    names = ("before_wave", "after_wave", "before_nodes", "after_nodes", "after_gate")
    files = [hooks.pop(name, None) for name in names]
    if any(files):
        omitted.append("hooks (task files) are not run")
    if hooks.pop("load_balancer", None):
        omitted.append("load balancers are not exported, so nothing is drained")
    if (policy.get("budgets") or {}).pop("quorum", None):
        omitted.append("quorum is not asked for")
    if (policy.get("approval") or {}).get("required"):
        policy["approval"] = {"required": False}
        omitted.append("nobody approves: the rehearsal runs its own plan")
    if (policy.get("exceptions") or {}).pop("ledger", None):
        omitted.append("exceptions count as the nodes' tags show them; the ledger is not read")
    freeze = policy.get("freeze") or {}
    if freeze.pop("change_calendars", None):
        omitted.append("SSM change calendars are not exported; iCalendar files count")
    if freeze.get("ics"):
        freeze["ics"] = [str(home / name) for name in freeze["ics"]]
    patching = policy.setdefault("patching", {})
    if patching.pop("list_url", None):
        omitted.append("lists on a web server are not written; the baseline decides")
        patching["pin"] = "baseline"
    for bucket in (patching.get("buckets") or {}).values():
        bucket.pop("kms_key", None)


def _fit_estate(rehearsal: Rehearsal) -> None:
    """Give the simulated accounts the roles that the policy assumes."""
    if not any(system["updates"] for system in rehearsal.estate["systems"].values()):
        rehearsal.omitted.append(
            "no patch is missing in the estate file, so the nights are empty: scan, then export again"
        )
    accounts = {row["id"]: row for row in rehearsal.estate["accounts"]}
    for row in (rehearsal.policy.get("estate") or {}).get("accounts") or []:
        arn = row.get("role_arn", "")
        number = str(row.get("id") or arn.split(":")[4] if arn.count(":") >= 5 else row.get("id"))
        account = accounts.setdefault(number, {"id": number, "name": number})
        if _ROLE in arn:
            role = {"name": arn.rpartition("/")[2]}
            external = {"external_id": row["external_id"]} if row.get("external_id") else {}
            account.setdefault("roles", []).append({**role, **external})
        account["name"] = row.get("name") or account["name"]
    for account in accounts.values():
        account.setdefault("roles", [])
    if not accounts:
        raise Mistake("the estate has no node that the rehearsal can patch; see left_out of rehearsal_export")
    rehearsal.estate["accounts"] = list(accounts.values())
    rehearsal.estate["home_account"] = next(iter(accounts))


def _make_buckets(aws: Lab, policy: Mapping[str, Any]) -> None:
    """Create the buckets of the policy's lists in their accounts."""
    accounts = {row.get("name"): row for row in (policy.get("estate") or {}).get("accounts") or []}
    for region, bucket in ((policy.get("patching") or {}).get("buckets") or {}).items():
        row = accounts.get(bucket.get("account")) or {}
        number = str(row.get("id") or str(row.get("role_arn", "::::")).split(":")[4] or bucket.get("account") or "")
        client = aws.client("s3", region, number if number.isdigit() else None)
        where = {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
        client.create_bucket(Bucket=bucket["name"], **where)


def _command(playbook: str) -> list[str]:
    program = Path(sys.executable).with_name("ansible-playbook")
    return [str(program) if program.exists() else "ansible-playbook", f"patchtide.hybrid.{playbook}"]


def _environment(aws: Lab, folder: Path) -> dict[str, str]:
    """Return the environment without the user's own AWS settings. A state directory of its own keeps claims apart."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "PATCHTIDE_"))}
    tree = ROOT / "build" / "tree"
    path = {"ANSIBLE_COLLECTIONS_PATH": str(tree)} if tree.exists() else {}
    own = {"XDG_STATE_HOME": str(folder / "state"), "ANSIBLE_LOCALHOST_WARNING": "false", "ANSIBLE_NOCOLOR": "1"}
    return {**kept, **path, **own, **aws.environment()}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m lab.rehearse", description=__doc__)
    parser.add_argument("--policy", required=True, metavar="FILE", help="the policy; it is not changed")
    parser.add_argument(
        "--estate", required=True, metavar="FILE", help="what rehearsal_export wrote; it is not changed"
    )
    parser.add_argument("--out", default="build/rehearsal", metavar="DIR", help="emptied first (default: %(default)s)")
    parser.add_argument("--at", default="now", metavar="TIME", help="when it begins, ISO 8601 (default: now)")
    parser.add_argument(
        "--fault", action="append", default=[], metavar="NAME=SIZE", help=f"{', '.join(FAULTS)}; such as offline=5%%"
    )
    parser.add_argument("--seed", type=int, default=1, help="which nodes are faulty (default: %(default)s)")
    parser.add_argument(
        "--on-pause", choices=("promote", "stop"), default="promote", help="what to do when a gate pauses"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
