"""What we rely on in ansible-core, on every supported version that this machine's Pythons allow.

The connection seam and our plays lean on parts of ansible-core that may change between versions. Each version gets a
virtual environment of its own under build/matrix/, with ansible-core and pytest only. Without a Python for a version
it is named as not run; a run without any version fails. ``python tools/matrix.py 2.19`` runs the versions named.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from running import BUILD, ROOT, attempt, fail, ran, run

#: Versions of ansible-core with the Pythons they run on, the preferred first (docs.ansible.com, "ansible-core support
#: matrix").
VERSIONS = {
    "2.17": ("3.10", "3.11", "3.12"),
    "2.18": ("3.11", "3.12", "3.13"),
    "2.19": ("3.11", "3.12", "3.13"),
    "2.20": ("3.12", "3.13", "3.14"),
    "2.21": ("3.13", "3.12", "3.14"),
}
TESTS = (
    "tests/contract/test_ansible_traps.py",
    "tests/contract/test_connections.py",
    "tests/contract/test_driving_worker.py",
)
PYTEST = "pytest==9.2.0"


def main(wanted: list[str]) -> None:
    if unknown := set(wanted) - set(VERSIONS):
        fail(f"no such version: {', '.join(sorted(unknown))}; there are {', '.join(VERSIONS)}")
    failed, done = [], 0
    for version in wanted or VERSIONS:
        python = find_python(VERSIONS[version])
        if python is None:
            print(f"ansible-core {version}: not run, it needs Python {' or '.join(VERSIONS[version])}", flush=True)
            continue
        done += 1
        if not test(version, environment(version, python)):
            failed.append(version)
    if failed:
        fail(f"failed on ansible-core {', '.join(failed)}")
    ran(done, "versions of ansible-core")


def find_python(versions: tuple[str, ...]) -> str | None:
    """Return the first of these Pythons that works here, pyenv's among them."""
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    for version in versions:
        installed = sorted(pyenv.glob(f"{version}.*/bin/python{version}"))
        for candidate in (shutil.which(f"python{version}"), *map(str, installed)):
            # pyenv's shims are on the PATH for Pythons that are not selected, and fail.
            if candidate and subprocess.run([candidate, "-c", "import venv"], capture_output=True).returncode == 0:
                return candidate
    return None


def environment(version: str, python: str) -> Path:
    """Return the Python of the version's virtual environment, made on the first call."""
    place = BUILD / "matrix" / version
    ready = place / ".ready"
    if not ready.exists():
        print(f"ansible-core {version}: virtual environment with {python}", flush=True)
        run([python, "-m", "venv", "--clear", str(place)], quiet=True)
        pip = [str(place / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        run([*pip, f"ansible-core~={version}.0", PYTEST], quiet=True)
        ready.touch()
    return place / "bin" / "python"


def test(version: str, python: Path) -> bool:
    tree = str(BUILD / "tree")
    code, output = attempt(
        [str(python), "-m", "pytest", "--noconftest", *TESTS],
        cwd=ROOT,
        env={"PYTHONPATH": tree, "ANSIBLE_COLLECTIONS_PATH": tree},
        show=lambda _line: False,
    )
    last = output.strip().splitlines()[-1] if output.strip() else "no output"
    print(output if code else f"ansible-core {version}: {last}", flush=True)
    return code == 0


if __name__ == "__main__":
    main(sys.argv[1:])
