"""ansible-test sanity in its own virtual environment, on a git copy of the collection.

ansible-test refuses a plain checkout, and over symlinks without .git it passes on zero files.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

from running import BUILD, PYTHON, ROOT, attempt, fail, ran, run

COPY = BUILD / "sanity" / "ansible_collections" / "patchtide" / "hybrid"
HOME = BUILD / "sanity" / "home"
#: Not part of the artifact, and checked by tools of their own (lint, types).
NOT_COPIED = (".ci/", "bench/", "lab/", "tests/", "tools/")
PYTHON_VERSION = f"{sys.version_info.major}.{sys.version_info.minor}"

# ansible-test downloads get-pip.py to fill an empty virtual environment; Python brings a pip of its own.
GET_PIP = """\
import runpy, subprocess, sys
subprocess.run([sys.executable, "-m", "ensurepip", "--default-pip"], check=True)
packages = [name for name in sys.argv[1:] if name not in ("--no-setuptools", "--no-wheel")]
sys.argv = ["pip", "install", *packages]
runpy.run_module("pip", run_name="__main__", alter_sys=True)
"""


def main() -> None:
    ignores = sorted(Path(ROOT, "tests", "sanity").glob("ignore*.txt"))
    if ignores:
        fail(f"ignore entries are not wanted: {', '.join(map(str, ignores))}")
    files = make_copy()
    link_dependencies(COPY.parent.parent / "amazon")
    make_home()
    targets = [name for name in files if name.endswith(".py")]
    code, output = attempt(
        ["ansible-test", "sanity", "--venv", "--python", PYTHON_VERSION, "--color", "no"],
        cwd=COPY,
        env={"HOME": str(HOME), "ANSIBLE_COLLECTIONS_PATH": f"{BUILD / 'sanity'}"},
        show=lambda line: bool(re.match(r"Running sanity|ERROR|FATAL(?!: Command)", line)),
    )
    log = BUILD / "log" / "ansible-test.log"
    log.write_text(output)
    if code:
        fail(f"ansible-test ended with status {code}; all it said is in {log.relative_to(ROOT)}")
    ran(len(targets), "Python files")
    ran(len(set(re.findall(r"^Running sanity test \"([\w-]+)\"", output, re.M))), "sanity tests")


def make_copy() -> list[str]:
    """Copy all tracked and new files and make them a repository; return their names."""
    listed = run(["git", "ls-files", "--cached", "--others", "--exclude-standard"], quiet=True).splitlines()
    names = [name for name in listed if (ROOT / name).is_file() and not name.startswith(NOT_COPIED)]
    shutil.rmtree(COPY, ignore_errors=True)
    for name in names:
        target = COPY / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, target)
    run(["git", "init", "-q", "."], cwd=COPY)
    run(["git", "add", "-A"], cwd=COPY)
    return names


def link_dependencies(link: Path) -> None:
    """Put amazon.aws beside a copy of ours; environments with ansible-core alone have no collections."""
    link.parent.mkdir(parents=True, exist_ok=True)
    if not link.exists():
        link.symlink_to(Path(sysconfig.get_path("purelib"), "ansible_collections", "amazon"))


def make_home() -> None:
    """Make a home of its own, so that the user's ~/.ansible stays as it is; pip's configuration goes with it."""
    cache = HOME / ".ansible" / "test" / "cache"
    cache.mkdir(parents=True, exist_ok=True)
    for version in ("24_2", "25_2"):
        (cache / f"get_pip_{version}.py").write_text(GET_PIP)
    # ansible-test hands no PIP_… variable down.
    listed = subprocess.run([PYTHON, "-m", "pip", "config", "list"], capture_output=True, text=True, check=True).stdout
    pairs = dict(re.findall(r"^(?:global|install|user|:env:)\.([\w-]+)='(.*)'$", listed, re.M))
    lines = [f"{name} = {value}" for name, value in pairs.items() if name not in ("config-file", "no-input")]
    config = HOME / ".config" / "pip" / "pip.conf"
    config.parent.mkdir(parents=True, exist_ok=True)
    config.write_text("\n".join(["[global]", *lines, ""]))
    cached = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache"), "pip")
    link = HOME / ".cache" / "pip"
    link.parent.mkdir(exist_ok=True)
    if cached.is_dir() and not link.exists():
        link.symlink_to(cached)


if __name__ == "__main__":
    main()
