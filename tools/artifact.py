"""Builds the collection artifact and checks it as its users and Galaxy would.

``artifact.py build`` writes build/patchtide-hybrid-<version>.tar.gz; ``artifact.py check`` also looks into it, installs
it alone, asks ansible-doc and ansible-playbook for what must be there, and runs galaxy-importer on it.
"""

from __future__ import annotations

import json
import shutil
import sys
import tarfile
from pathlib import Path

import yaml
from running import BUILD, PYTHON, ROOT, attempt, fail, ran, run

NAME = "patchtide.hybrid"
INSTALLED = BUILD / "installed"
#: What a user needs; anything else at the top of the artifact is a mistake.
WANTED = {"plugins", "roles", "playbooks", "meta", "schemas", "examples", "extensions", "awx", "docs", "changelogs"}
WANTED |= {
    "templates",
    "reports",
    "dashboard",
    "README.md",
    "CHANGELOG.md",
    "SECURITY.md",
    "COPYING",
    "requirements.txt",
    "bindep.txt",
    "MANIFEST.json",
    "FILES.json",
}


def main(what: str) -> None:
    artifact = build()
    if what == "check":
        members = inspect(artifact)
        install(artifact)
        contents = import_as_galaxy(artifact)
        ran(len(members), "files in the artifact")
        ran(contents, "contents imported")


def build() -> Path:
    for old in BUILD.glob("patchtide-hybrid-*.tar.gz"):
        old.unlink()
    run(["ansible-galaxy", "collection", "build", "--force", "--output-path", str(BUILD)], quiet=True)
    (artifact,) = BUILD.glob("patchtide-hybrid-*.tar.gz")
    print(f"built {artifact.relative_to(ROOT)}, {artifact.stat().st_size // 1024} KiB")
    return artifact


def inspect(artifact: Path) -> list[str]:
    """Nothing of ours that users don't need is in the artifact; every plugin, role and playbook is."""
    with tarfile.open(artifact) as archive:
        members = [member.name for member in archive.getmembers() if member.isfile()]
    if strange := sorted({name.split("/")[0] for name in members} - WANTED):
        fail(f"the artifact holds what users don't need: {', '.join(strange)}; see build_ignore in galaxy.yml")
    if tests := [name for name in members if "/molecule/" in name or "/tests/" in name]:
        fail(f"the artifact holds tests: {tests[0]}")
    tops = ("plugins", "roles", "playbooks", "schemas", "examples", "templates")
    content = [path for top in tops for path in (ROOT / top).rglob("*")]
    names = [str(path.relative_to(ROOT)) for path in content if path.is_file() and "__pycache__" not in path.parts]
    if missing := sorted(set(names) - set(members)):
        fail(f"missing in the artifact: {', '.join(missing)}")
    return members


def install(artifact: Path) -> None:
    """Install it alone and address its content by its full names."""
    shutil.rmtree(INSTALLED, ignore_errors=True)
    env = {"ANSIBLE_COLLECTIONS_PATH": str(INSTALLED), "PYTHONPATH": "", "ANSIBLE_LOCALHOST_WARNING": "false"}
    install = ["ansible-galaxy", "collection", "install", "--no-deps", "-p", str(INSTALLED), str(artifact)]
    run(install, env=env, quiet=True)
    for kind, place in (("module", "modules"), ("inventory", "inventory")):
        names = [path.stem for path in sorted((ROOT / "plugins" / place).glob("*.py"))]
        if names:
            documented = run(
                ["ansible-doc", "-t", kind, "--json", *(f"{NAME}.{n}" for n in names)], env=env, quiet=True
            )
            ran(len(json.loads(documented[documented.index("{") :])), f"documented plugins ({kind})")
    playbooks = sorted((ROOT / "playbooks").glob("*.yml"))
    for path in playbooks:
        command = ["ansible-playbook", "-i", "localhost,", "--syntax-check", f"{NAME}.{path.stem}"]
        run(command, cwd=BUILD, env=env, quiet=True)
    ran(len(playbooks), "playbooks addressed by name")


def import_as_galaxy(artifact: Path) -> int:
    """Run galaxy-importer; return how many contents it found."""
    place = BUILD / "import"
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir()
    config = place / "galaxy-importer.cfg"
    config.write_text("[galaxy-importer]\nCHECK_REQUIRED_TAGS=True\nREQUIRE_V1_OR_GREATER=False\nRUN_FLAKE8=False\n")
    code, output = attempt(
        [PYTHON, "-m", "galaxy_importer.main", str(artifact)],
        cwd=place,
        env={"GALAXY_IMPORTER_CONFIG": str(config)},
        show=lambda line: line.startswith(("ERROR", "WARNING")),
    )
    result = place / "importer_result.json"
    if code or not result.exists() or "\nERROR" in f"\n{output}":
        print(output)
        fail("galaxy-importer did not accept the artifact")
    data = json.loads(result.read_text())
    expected = yaml.safe_load((ROOT / "galaxy.yml").read_text())["version"]
    if data["metadata"]["version"] != expected:
        fail(f"galaxy-importer read version {data['metadata']['version']}, galaxy.yml says {expected}")
    return len(data["contents"])


if __name__ == "__main__":
    main(sys.argv[1])
