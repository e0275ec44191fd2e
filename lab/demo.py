# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`python -m lab.demo [--abort] [--slow]`: one whole patch cycle on the lab, as ordinary ansible-playbook calls.

The terminal shows the lines that matter; `demo.log` in the folder of the demo has everything that the playbooks print.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import textwrap
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from lab.rehearsal import BUILD, ROOT, Stage, rehearsal
from lab.screen import WIDTH, Screen
from lab.signers import APPROVER, Signers

PAGES = (
    ("plan.html", "the plan, as a change board reads it"),
    ("report/index.html", "the report: open this one first"),
    ("journal.jsonl", "every step and decision, hash-chained"),
    ("demo.log", "everything that the playbooks printed"),
)
#: Playbooks that write a statement for a named person.
SIGNED = ("approve_plan", "steer_rollout")
#: What is worth seeing of each playbook; ``demo.log`` has the rest.
PLACES = r"/\w+-\w+-\d: baselines"
PLAN = (r"^    WARNING", r"^      \S", r"^    Digest", r"^    Left out", r"^ {8,}\d+  \w+ ")
ROLLOUT = (r"its window opens", r" precheck: ", r" gate: ", r"^      (\d+|None) of .*(limit|skipped)", r" failed: ")
REPORT = (r"^    \S", r"^      \S")


@dataclass(frozen=True, slots=True)
class Step:
    """One call of a playbook. ``told`` is what ``--slow`` explains; ``machines``: it needs the inventory, which takes
    two seconds to read; ``pauses``: it may end with a paused gate."""

    title: str
    playbook: str
    shown: Sequence[str]
    told: str
    options: Sequence[str] = ()
    machines: bool = False
    sign: str = ""  #: act whose statement the approver signs after the playbook
    pauses: bool = False


APPLY = Step(
    "The policy becomes baselines, patch groups and windows in every account and Region",
    "apply_policy",
    (PLACES,),
    "Three AWS accounts in two Regions, all simulated. The playbook assumes a role in each account and creates what\n"
    "lab/policy.yml declares. A second run would change nothing; with --check it only shows what it would do.",
)
SCAN = Step(
    "Which patches are missing where",
    "scan_compliance",
    (r"nodes scanned", r"Would scan"),
    "EC2 instances and machines elsewhere with the SSM Agent are scanned by AWS-RunPatchBaseline, Azure VMs and Azure\n"
    "Arc servers by Azure Update Manager, Linux hosts over SSH, Windows hosts over PowerShell Remoting. Nothing is\n"
    "installed. The result is scan.json. The machines come from the inventory, which -i names.",
    machines=True,
)
PLAN_STEP = Step(
    "The plan: who is patched when, with what, and who is left out",
    "plan_rollout",
    PLAN,
    "Every node gets a wave and a night. Nodes that cannot be patched are named with the reason. The plan has a\n"
    "digest, and people approve that digest: nothing else can be run with their approval.",
    machines=True,
)
APPROVE = Step(
    "A person approves the plan with their SSH key; the controller never has it",
    "approve_plan",
    (r"missing for wave canary",),
    "This controller pins a trust bundle: without the signature of a change manager no wave begins. The playbook\n"
    "writes a statement with the plan's full digest, and the demo signs it in Ana's place. As root, two more people\n"
    "have to sign: nobody knows who planned and who runs, and people do not approve their own rollouts.",
    ("patchtide_reason='Change board, CHG0040007'",),
    sign="plan",
)
BEGIN = Step(
    "The rollout: canary, then staging, where one node has a full disk and the gate pauses",
    "rollout_patches",
    ROLLOUT,
    "The lab's clock jumps to the window. In all clouds, stopped machines are started, load balancers drained, nodes\n"
    "patched, rebooted, scanned again and restored. web-stg-03 has 40 MB left and is skipped. One of four nodes is\n"
    "more than the policy lets pass, so the gate of that wave does not decide alone.",
    machines=True,
    pauses=True,
)
ASK = Step(
    "Somebody has to decide, and has to sign the decision",
    "steer_rollout",
    (r"^\[ERROR\].* has to sign the decision", r"^    \S+ signs it"),
    "steer_rollout writes the decision as a statement that is bound to this plan, this wave and the last record of\n"
    "the journal, and fails until it is signed.",
    ("patchtide_decision=promote", "patchtide_wave=staging", "patchtide_reason='INC0012345, a larger disk is ordered'"),
    sign="decision",
    pauses=True,
)
DECIDE = Step(
    "The same command again: the signed decision is recorded in the journal",
    "steer_rollout",
    (r"Status of rollout",),
    "The signature is verified and archived with the decision.",
    ASK.options,
)
CONTINUE = Step(
    "The rollout continues where it paused: a third of production, then the rest",
    "rollout_patches",
    ROLLOUT,
    "Nothing is installed twice. After a crash or a lost connection it would be the same command.",
    machines=True,
)
REPORT_STEP = Step(
    "What was done",
    "report_compliance",
    REPORT,
    "The report compares the scans before and after, and names every node that needs attention with the next step.",
)
CYCLE = (APPLY, SCAN, PLAN_STEP, APPROVE, BEGIN, ASK, DECIDE, CONTINUE)
BAD_DAY = (APPLY, SCAN, PLAN_STEP, APPROVE, CONTINUE)


@dataclass(slots=True)
class Demo:
    """One run in ``stage``."""

    stage: Stage
    signers: Signers
    screen: Screen
    slow: bool = False
    number: int = field(default=0)

    def cycle(self, steps: Sequence[Step]) -> int:
        """Run the steps until one fails; the report is written in any case. Return the exit status."""
        for step in steps:
            if status := self.run(step):
                break
        if (self.stage.folder / "journal.jsonl").exists():
            return self.run(REPORT_STEP) or status
        return status

    def run(self, step: Step) -> int:
        """Run a step's playbook, for a plan once for each of its approvers. Return the exit status."""
        self._announce(step)
        for signer in self.signers.approvers if step.sign == "plan" else [APPROVER]:
            options = [*step.options, *([f"patchtide_principal={signer}"] if step.playbook in SIGNED else [])]
            if status := self._play(step, options):
                return status
            if step.sign:
                path = self.signers.unsigned(self.stage.folder, step.sign)
                self.screen.say(f"    {signer} signs {path.relative_to(self.stage.folder)}")
                self.signers.sign(path, step.sign, signer)
        return 0

    def _play(self, step: Step, options: Sequence[str]) -> int:
        call, variables = self.stage.call(step.playbook, machines=step.machines), self.stage.variables
        command = [*call, *variables]
        for option in options:
            name, _, value = option.partition("=")
            command += ["-e", json.dumps({name: value.strip("'")})]
        self.screen.say(f"$ {' '.join(call)}{''.join(f' -e {item}' for item in options)}")
        status, lines = self.screen.run(command, step.shown, self._environment(), ROOT)
        if status and not step.pauses:
            self.screen.fail(status, lines)
            return status
        return 0

    def _announce(self, step: Step) -> None:
        self.number += 1
        self.screen.say(f"\n━━━ {self.number} {step.title}")
        if self.slow:
            self.screen.say(step.told)
            if sys.stdin.isatty():
                with suppress(EOFError):
                    input("Press Enter to go on ")
            else:
                time.sleep(3)

    def _environment(self) -> dict[str, str]:
        own = ("AWS_", "AZURE_", "PATCHTIDE_", "ANSIBLE_INVENTORY")
        environment = {name: value for name, value in os.environ.items() if not name.startswith(own)}
        path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        return {**environment, **self.stage.environment(), "PATH": path, "PATCHTIDE_TRUST": str(self.signers.pins)}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m lab.demo", description=__doc__)
    parser.add_argument("--abort", action="store_true", help="let the canary wave go bad")
    parser.add_argument("--slow", action="store_true", help="explain each step and wait for Enter")
    options = parser.parse_args()
    folder = BUILD / ("demo-abort" if options.abort else "demo")
    estate = "lab/estate-abort.yml" if options.abort else "lab/estate.yml"
    began = time.monotonic()
    with rehearsal(folder, estate=estate, hosts=folder.name) as stage:
        screen = Screen(folder / "demo.log")
        signers = Signers(folder / "people")
        signers.create()
        screen.say(_estate(stage))
        screen.say(f"Each command is run with {' '.join(stage.variables)} as well.")
        status = Demo(stage, signers, screen, options.slow).cycle(BAD_DAY if options.abort else CYCLE)
    _summary(screen, folder, status, time.monotonic() - began)
    return status


def _estate(stage: Stage) -> str:
    hosts = f"no real hosts ({stage.left_out})" if stage.left_out else "4 real Debian hosts over SSH"
    return (
        "The lab is up: about 60 machines in 3 simulated AWS accounts (EC2, mi- elsewhere), 12 in 2 simulated Azure\n"
        "subscriptions (virtual machines, Azure Arc servers), 2 simulated Windows servers over PowerShell Remoting,\n"
        f"{hosts}.\n"
        "Its clock is virtual, so that a night takes a minute or two."
    )


def _summary(screen: Screen, folder: Path, status: int, seconds: float) -> None:
    path = folder / "report" / "summary.json"
    screen.say("\n━━━ In short")
    if path.exists():
        report = json.loads(path.read_text("utf-8"))
        for line in to_short(report):
            screen.say(textwrap.fill(line, WIDTH, subsequent_indent="  "))
    screen.say(f"{seconds:.0f} seconds, exit status {status}; everything that was started is stopped. Look at:")
    for name, what in PAGES:
        if (folder / name).exists():
            screen.say(f"  {(folder / name).relative_to(ROOT)!s:<32} {what}")


def to_short(report: dict[str, object]) -> list[str]:
    """Return what a rollout came to, from its summary.json: conclusion, compliance, decisions, attention."""
    conclusion, compliance = report["conclusion"], report["compliance"]
    assert isinstance(conclusion, dict) and isinstance(compliance, dict)
    before, after = (compliance["rollout"][name]["percent"] for name in ("before", "after"))
    lines = [
        f"{conclusion['title']}: {conclusion['headline']}",
        f"Compliant nodes: {before:g} % before, {after:g} % after.",
    ]
    decisions, attention = report["decisions"], report["attention"]
    assert isinstance(decisions, list) and isinstance(attention, list)
    lines += [
        f"Decided by {row.get('by') or row.get('who')}: {row['action']} {row.get('wave', '')}" for row in decisions
    ]
    names = ", ".join(f"{row['name']} ({row['reason']})" for row in attention[:4])
    return [*lines, f"Needs attention: {names}"] if names else lines


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        print("\nInterrupted. Everything that was started is stopped; build/ has what was written.")
        sys.exit(130)
