"""ruff, shellcheck, ansible-lint and cfn-lint over all tracked and new files."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

from running import PYTHON, ROOT, attempt, fail, ran, run


def main() -> None:
    files = run(["git", "ls-files", "--cached", "--others", "--exclude-standard"], quiet=True).splitlines()
    python = [name for name in files if name.endswith(".py") and (ROOT / name).exists()]
    shell = [name for name in files if (ROOT / name).is_file() and _is_shell(ROOT / name)]
    templates = sorted(str(path) for path in (ROOT / "templates").glob("*.template"))
    commands = {
        "ruff": [PYTHON, "-m", "ruff", "check", "--output-format", "concise", "--cache-dir", "build/cache/ruff"],
        "ruff format": [PYTHON, "-m", "ruff", "format", "--check", "--cache-dir", "build/cache/ruff"],
        "shellcheck": ["shellcheck", *shell],
        "ansible-lint": ["ansible-lint", "--nocolor", "--offline", "--strict"],
        "cfn-lint": ["cfn-lint", *templates],
    }
    if not shutil.which("shellcheck"):
        if os.environ.get("CI"):
            fail("shellcheck is missing; as root 'make setup' installs it")
        print("shellcheck is not installed, so shell files are left out")
        del commands["shellcheck"]
    results = {name: attempt(command) for name, command in commands.items()}
    if failed := [name for name, (code, _output) in results.items() if code]:
        fail(f"failed: {', '.join(failed)}")
    ran(len(python), "Python files")
    ran(len(shell), "shell files")
    ran(len(templates), "templates of CloudFormation")
    ran(_linted(results["ansible-lint"][1]), "Ansible files")


def _is_shell(path: Path) -> bool:
    if path.suffix == ".sh":
        return True
    with path.open("rb") as stream:
        return bool(re.match(rb"#!.*\b(ba|da)?sh\b", stream.readline(80)))


def _linted(output: str) -> int:
    found = re.search(r"in (\d+) files processed", output)
    return int(found[1]) if found else 0


if __name__ == "__main__":
    main()
