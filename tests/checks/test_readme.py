"""What the README tells users to type works."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import yaml

from tests.checks.source import ROOT, TREE
from tests.checks.test_documentation import documented


def block(title: str) -> str:
    """Return the YAML block that begins with the comment ``# <title>``."""
    (found,) = re.findall(rf"```yaml\n(# {re.escape(title)}\n.*?)```", (ROOT / "README.md").read_text(), re.S)
    return found


def test_policy_is_valid(tmp_path: Path) -> None:
    (tmp_path / "policy.yml").write_text(block("policy.yml"))
    command = [str(Path(sys.executable).with_name("ansible")), "localhost", "-m", "patchtide.hybrid.policy_info"]
    env = {**os.environ, "ANSIBLE_COLLECTIONS_PATH": str(TREE)}
    arguments = ["-a", f"path={tmp_path}/policy.yml"]
    done = subprocess.run([*command, *arguments], env=env, capture_output=True, text=True, check=False)
    assert "localhost | SUCCESS" in done.stdout, done.stdout


def test_inventory_uses_documented_options() -> None:
    options = documented("inventory", "ssm_fleet")["ssm_fleet"]["doc"]["options"]
    assert set(yaml.safe_load(block("inventory/ssm_fleet.yml"))) <= set(options)
