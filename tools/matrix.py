"""What we rely on in ansible-core, on every supported version that this machine's Pythons allow.

The connection seam and our plays lean on parts of ansible-core that may change between versions. Each version gets a
virtual environment of its own under build/matrix/. Without a Python for a version it is named as not run; a run without
any version fails. ``python tools/matrix.py 2.19`` runs the versions named, ``--short`` those of CI: the oldest, the
one of ``ansible`` 12 and the newest. Each version runs the tests that touch Ansible, and uses the built collection as
its users install it.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from artifact import build
from running import BUILD, ROOT, attempt, fail, ran, run
from sanity import link_dependencies

#: Versions of ansible-core with the Pythons they run on, the preferred first (docs.ansible.com, "ansible-core support
#: matrix").
VERSIONS = {
    "2.17": ("3.10", "3.11", "3.12"),
    "2.18": ("3.11", "3.12", "3.13"),
    "2.19": ("3.11", "3.12", "3.13"),
    "2.20": ("3.12", "3.13", "3.14"),
    "2.21": ("3.13", "3.12", "3.14"),
}
SHORT = ("2.17", "2.19", "2.21")
TESTS = (
    "tests/contract/test_ansible_traps.py",
    "tests/contract/test_connections.py",
    "tests/contract/test_driving_worker.py",
)
#: Units that touch Ansible's own classes; the rules of the core know nothing of them.
UNITS = (
    "tests/unit/plugins/inventory",
    "tests/unit/plugins/module_utils/_ansible",
    "tests/unit/plugins/plugin_utils/inventory",
    "tests/unit/plugins/plugin_utils/policy/test_file.py",
    "tests/unit/plugins/plugin_utils/test_thread_context.py",
)
PACKAGES = (
    "pytest==9.2.0",
    "pytest-xdist==3.8.0",
    "hypothesis",
    "icalendar",
    "recurring-ical-events",
    "python-dateutil",
)
PLUGINS = ("-p", "tests.fakes.patient")
COLLECTIONS = BUILD / "matrix" / "collections"


def main(wanted: list[str]) -> None:
    if wanted == ["--short"]:
        wanted = list(SHORT)
    link_dependencies(COLLECTIONS / "ansible_collections" / "amazon")
    artifact = build()
    if unknown := set(wanted) - set(VERSIONS):
        fail(f"no such version: {', '.join(sorted(unknown))}; there are {', '.join(VERSIONS)}")
    failed, done = [], 0
    for version in wanted or VERSIONS:
        python = find_python(VERSIONS[version])
        if python is None:
            print(f"ansible-core {version}: not run, it needs Python {' or '.join(VERSIONS[version])}", flush=True)
            continue
        done += 1
        found = environment(version, python)
        if not (test(version, found) and use(version, found, artifact)):
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
        run([*pip, f"ansible-core~={version}.0", "-r", str(ROOT / "requirements.txt"), *PACKAGES], quiet=True)
        ready.touch()
    return place / "bin" / "python"


def test(version: str, python: Path) -> bool:
    """Run the tests that touch Ansible."""
    tree = os.pathsep.join((str(BUILD / "tree"), str(COLLECTIONS)))
    code, output = attempt(
        [
            str(python),
            "-m",
            "pytest",
            "-q",
            "-n",
            "2",
            "-p",
            "no:cacheprovider",
            "--noconftest",
            *PLUGINS,
            *TESTS,
            *UNITS,
        ],
        cwd=ROOT,
        env={
            "PYTHONPATH": os.pathsep.join((str(ROOT), tree)),
            "ANSIBLE_COLLECTIONS_PATH": tree,
            "XDG_STATE_HOME": str(BUILD / "matrix" / "state"),
        },
        show=lambda _line: False,
    )
    last = output.strip().splitlines()[-1] if output.strip() else "no output"
    print(output if code else f"ansible-core {version}: {last}", flush=True)
    return code == 0


def use(version: str, python: Path, artifact: Path) -> bool:
    """Install the built collection, read the documentation of its plugins, and run a playbook of it."""
    place, programs = BUILD / "matrix" / f"installed-{version}", python.parent
    shutil.rmtree(place, ignore_errors=True)
    env = {
        "ANSIBLE_COLLECTIONS_PATH": os.pathsep.join((str(place), str(COLLECTIONS))),
        "PYTHONPATH": "",
        "ANSIBLE_LOCALHOST_WARNING": "false",
        "PATH": os.pathsep.join((str(programs), os.environ["PATH"])),
    }
    names = [f"patchtide.hybrid.{path.stem}" for path in sorted((ROOT / "plugins" / "modules").glob("*.py"))]
    policy = ["-m", "patchtide.hybrid.policy_info", "-a", f"path={ROOT / 'examples' / 'policy.yml'}"]
    steps = (
        ["ansible-galaxy", "collection", "install", "--no-deps", "-p", str(place), str(artifact)],
        ["ansible-doc", "-t", "module", "--json", *names],
        ["ansible-playbook", "-i", "localhost,", "--syntax-check", "patchtide.hybrid.rollout_patches"],
        ["ansible", "localhost", "-i", "localhost,", "-c", "local", *policy],
    )
    for step in steps:
        code, output = attempt([str(programs / step[0]), *step[1:]], cwd=BUILD, env=env, show=lambda _line: False)
        if code:
            print(
                f"ansible-core {version}: {' '.join(step[:4])} … ended with status {code}:\n{output[-2000:]}",
                flush=True,
            )
            return False
    print(f"ansible-core {version}: installed, {len(names)} modules documented, a policy read", flush=True)
    return True


if __name__ == "__main__":
    main(sys.argv[1:])
