# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The commands that the documentation tells readers to type.

A call of a playbook counts as tested if a test in tests/playbooks runs that playbook.
"""

from __future__ import annotations

import re
import shlex

from tests.checks.source import ROOT

PAGES = ("README.md", *sorted(f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md")))
#: Beginnings of commands that no test types as they stand, and why.
NOT_RUN = {
    "sudo apt-get install git make": "needs root and packages",
    "git clone": "needs the network",
    "python3 -m venv": "tools/artifact.py installs the collection into an environment of its own",
    "pip install": "needs the network",
    "tar xzf patchtide-hybrid-": "make bundle unpacks the bundle and installs it without network",
    "sh patchtide-hybrid-": "make bundle unpacks the bundle and installs it without network",
    ". ~/patchtide/bin/activate": "the environment is one of Python's venv",
    "aws cloudformation deploy": "needs an AWS account",
    "ansible-playbook examples/patch_policy.yml": "a test makes a stack of its template on the lab",
    "make bundle": "takes minutes and needs the network; it installs the bundle and asks for every module",
    "ansible-galaxy collection install patchtide.hybrid": "needs Galaxy",
    "ansible-galaxy collection install ansible.windows": "needs Galaxy; the package ansible has it",
    "ansible-galaxy collection install build/": "make artifact installs the artifact",
    "ansible-galaxy collection install --no-deps": "make artifact installs the artifact",
    "make demo": "takes minutes; tests/playbooks/test_demo.py runs it in make test-slow",
    "make rehearse": "tests/playbooks/test_first_hour.py runs it as the guide has it",
    "make build": "make artifact builds it",
    "patchtide-rehearse": "make bundle asks it for its help; tests/lab/test_rehearse.py tests its parts",
    "ansible-playbook -i inventory onboard.yml": "tests/hosts/test_onboarding.py runs the role on real hosts",
    "ansible-playbook patchtide.hybrid.split_plan": "tests/unit/plugins/action/test_rollout_split.py runs its one task",
    "aws events put-": "tests/checks/test_rulebooks.py checks the files against botocore's model",
    "ansible-rulebook -r": "no rulebook engine is installed; tests/checks/test_rulebooks.py reads the rulebook",
}
#: Beginnings of commands that tests/playbooks/test_typed_commands.py types as they stand.
TYPED = (
    "ansible localhost -m patchtide.hybrid.",
    "ansible-doc -l",
    "ansible-inventory -i estate.",
    "ansible-inventory -i inventory/",
    "ansible -i estate.ssm_fleet.yml",
)
#: Beginning of commands that tests/checks/test_commands.py types.
SIGNS = "ssh-keygen -Y sign "


def commands(page: str) -> list[str]:
    """Return the commands of a page: lines of console blocks that begin with a dollar sign, and indented ones."""
    text = re.sub(r"\\\n", " ", (ROOT / page).read_text("utf-8"))
    blocks = re.findall(r"^```console\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    found = [line.removeprefix("$ ") for block in blocks for line in block.splitlines() if line.startswith("$ ")]
    return found + re.findall(r"^    ((?:ansible|ssh-keygen)\S* .*)$", text, re.MULTILINE)


def typed() -> list[str]:
    """Return the commands that are typed as they stand, each once, in the order of the pages."""
    found = [command for page in PAGES for command in commands(page) if command.startswith(TYPED)]
    return list(dict.fromkeys(found))


def playbook_of(command: str) -> tuple[str, set[str]]:
    """Return the playbook that a command runs, without the collection's name, and the variables that it sets."""
    words = shlex.split(command)
    names = [word for word in words if word.startswith("patchtide.hybrid.")]
    if words[0] != "ansible-playbook" or not names:
        return "", set()
    return names[0].removeprefix("patchtide.hybrid."), set(re.findall(r"\b(patchtide_\w+)\"?[=:]", command))
