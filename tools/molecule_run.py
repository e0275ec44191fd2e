"""Runs every molecule scenario, or those named, and proves that each converged at least one host.

Molecule finds its scenarios only from the collection root; a play that matches no host counts as a success to it.
Where this machine can't run real hosts, scenarios that need them are left out; in CI that is a failure.
"""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

from running import BUILD, PYTHON, ROOT, attempt, fail, ran

SCENARIOS = ROOT / "extensions" / "molecule"


def main(names: list[str]) -> None:
    hosts, failed = 0, []
    left_out = [] if os.environ.get("CI") else _left_out(names)
    names = [name for name in names if name not in left_out]
    for name in names:
        code, output = attempt(["molecule", "test", "--no-command-borders", "--scenario-name", name])
        Path(BUILD, "log", f"molecule-{name}.log").write_text(output)
        converged = _converged_hosts(output)
        if code or not converged:
            failed.append(name)
        print(f"{name}: {'ended with status ' + str(code) if code else f'{converged} hosts converged'}", flush=True)
        hosts += converged
    if failed:
        fail(f"failed or without a host: {', '.join(failed)}")
    ran(len(names), "scenarios")
    ran(hosts, "hosts converged")


def _left_out(names: list[str]) -> list[str]:
    """Say why scenarios with real hosts are left out, if they must be, and return their names."""
    code, output = attempt([PYTHON, "-m", "lab.hosts", "able"], show=lambda _line: False)
    found = [name for name in names if "LAB_HOSTS:" in (SCENARIOS / name / "molecule.yml").read_text()] if code else []
    for name in found:
        print(f"{name}: {output.strip()}", flush=True)
    return found


def _converged_hosts(output: str) -> int:
    """Count the hosts with at least one task in the recap of the converge step, the first after its announcement."""
    plain = re.sub(r"\x1b\[[0-9;]*m", "", output)
    converge = re.search(r"converge[:\]] Executing(.*?)(?=\n[^\n]*[:\]] Executing|\Z)", plain, re.S)
    return len(re.findall(r"^\S+\s+: ok=[1-9]", converge[1], re.M)) if converge else 0


if __name__ == "__main__":
    main(sys.argv[1:] or sorted(path.parent.name for path in SCENARIOS.glob("*/molecule.yml")))
