"""ruff, shellcheck and ansible-lint over all tracked and new files."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

from running import PYTHON, ROOT, fail, ran, run


def main() -> None:
    files = run(["git", "ls-files", "--cached", "--others", "--exclude-standard"], quiet=True).splitlines()
    python = [name for name in files if name.endswith(".py") and (ROOT / name).exists()]
    shell = [name for name in files if (ROOT / name).is_file() and _is_shell(ROOT / name)]
    run([PYTHON, "-m", "ruff", "check", "--cache-dir", "build/cache/ruff"])
    run([PYTHON, "-m", "ruff", "format", "--check", "--cache-dir", "build/cache/ruff"])
    ran(len(python), "Python files")
    if shutil.which("shellcheck"):
        run(["shellcheck", *shell])
        ran(len(shell), "shell files")
    elif os.environ.get("CI"):
        fail("shellcheck is missing; as root 'make setup' installs it")
    else:
        print("shellcheck is not installed, so shell files are left out")
    ran(_ansible_lint(), "Ansible files")


def _is_shell(path: Path) -> bool:
    if path.suffix == ".sh":
        return True
    with path.open("rb") as stream:
        return bool(re.match(rb"#!.*\b(ba|da)?sh\b", stream.readline(80)))


def _ansible_lint() -> int:
    output = run(["ansible-lint", "--nocolor", "--offline", "--strict"])
    found = re.search(r"in (\d+) files processed", output)
    return int(found[1]) if found else 0


if __name__ == "__main__":
    main()
