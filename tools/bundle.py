"""An archive that installs the collection on a controller without network.

``bundle.py [--python 3.12] [--platform manylinux_2_28_x86_64]`` writes build/patchtide-hybrid-<version>-offline.tar.gz:
the collection, those that it builds on, all their Python packages, the lab, and install.sh. A bundle for this Python
and platform is installed without network afterwards, and asked for every module and for a rehearsal.
"""

from __future__ import annotations

import argparse
import json
import platform
import shutil
import sys
import tarfile
from pathlib import Path

import stock_collections
import yaml
from artifact import NAME, build
from running import BUILD, PYTHON, ROOT, ran, run

PLACE = BUILD / "bundle"
#: Neither an index nor Galaxy is there for what is installed.
OFFLINE = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": "", "PYTHONPATH": "", "ANSIBLE_COLLECTIONS_PATH": "/nonexistent"}
OFFLINE |= {"ANSIBLE_GALAXY_SERVER": "http://127.0.0.1:9", "ANSIBLE_LOCALHOST_WARNING": "false"}
THIS_PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--python", default=THIS_PYTHON, help="version of the controller (default: %(default)s)")
    parser.add_argument("--platform", default="", help="wheel platform of the controller (default: this machine's)")
    options = parser.parse_args()
    version = yaml.safe_load((ROOT / "galaxy.yml").read_text("utf-8"))["version"]
    shutil.rmtree(PLACE, ignore_errors=True)
    folder = PLACE / f"patchtide-hybrid-{version}-offline"
    (folder / "collections").mkdir(parents=True)
    shutil.copy2(build(), folder / "collections")
    _add_stock(folder / "collections")
    _add_lab(folder / "lab")
    _add_requirements(folder)
    _add_wheels(folder, options.python, options.platform)
    script = (ROOT / "tools" / "bundle_install.sh").read_text("utf-8")
    made_for = options.platform or f"{platform.system()} {platform.machine()}"
    target = folder / "install.sh"
    target.write_text(script.replace("@PYTHON@", options.python).replace("@PLATFORM@", made_for), "utf-8")
    target.chmod(0o755)
    archive = BUILD / f"{folder.name}.tar.gz"
    with tarfile.open(archive, "w:gz", compresslevel=1) as tar:  # wheels are compressed already
        tar.add(folder, folder.name)
    print(f"built {archive.relative_to(ROOT)}, {archive.stat().st_size // 2**20} MiB")
    ran(len([*(folder / "wheels").iterdir()]), "wheels in the bundle")
    if options.python == THIS_PYTHON and not options.platform:
        check(archive)
    else:
        print("not installed here: it is for another Python or platform")


def _add_stock(place: Path) -> None:
    """Build the artifacts that Galaxy has, without the tests, from the package ansible."""
    stock_collections.extract(PLACE)
    for name in stock_collections.COLLECTIONS:
        collection = PLACE / stock_collections.folder(name)
        info = json.loads((collection / "MANIFEST.json").read_text("utf-8"))["collection_info"]
        for listed in ("MANIFEST.json", "FILES.json"):
            (collection / listed).unlink()
        known = {key: value for key, value in info.items() if value}
        (collection / "galaxy.yml").write_text(yaml.safe_dump(known, sort_keys=False), "utf-8")
        run(["ansible-galaxy", "collection", "build", str(collection), "--output-path", str(place)], quiet=True)
    shutil.rmtree(PLACE / "ansible_collections")


def _add_lab(place: Path) -> None:
    """Copy what a rehearsal needs: the lab, and the permissions that it grants."""
    for name in ("lab", "examples/iam"):
        shutil.copytree(ROOT / name, place / name, ignore=shutil.ignore_patterns("__pycache__"))


def _add_requirements(folder: Path) -> None:
    """Write requirements.txt, with exact versions, for the collection, and requirements-lab.txt for rehearsals."""
    pinned = dict(line.split("==") for line in _lines(ROOT / "constraints.txt"))
    names = ["ansible-core", *(line.split(">")[0] for line in _lines(ROOT / "requirements.txt"))]
    names += ["icalendar", "recurring-ical-events", "azure-core", "azure-identity", "tzlocal", "pypsrp", "pywinrm"]
    text = "".join(f"{name}=={pinned[name]}\n" for name in names)
    (folder / "requirements.txt").write_text(text, "utf-8")
    lab = [line for line in _lines(ROOT / "requirements-lab.txt") if not line.startswith("-r")]
    (folder / "requirements-lab.txt").write_text("".join(f"{line}\n" for line in lab), "utf-8")


def _lines(path: Path) -> list[str]:
    lines = [line.partition("#")[0].strip() for line in path.read_text("utf-8").splitlines()]
    return [line for line in lines if line]


def _add_wheels(folder: Path, python: str, wheel_platform: str) -> None:
    command = [PYTHON, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--only-binary=:all:"]
    command += ["--dest", str(folder / "wheels"), "-c", str(ROOT / "constraints.txt"), "--python-version", python]
    command += ["--platform", wheel_platform] if wheel_platform else []
    run([*command, "-r", str(folder / "requirements.txt"), "-r", str(folder / "requirements-lab.txt")], quiet=True)


def check(archive: Path) -> None:
    """Install the bundle as its users do, without network, and use what is there."""
    with tarfile.open(archive) as tar:
        tar.extractall(PLACE / "copied", filter="data")
    (script,) = (PLACE / "copied").glob("*/install.sh")
    place = PLACE / "installed"
    run(["sh", str(script), "--rehearsal", str(place)], cwd=PLACE, env=OFFLINE, quiet=True)
    modules = [f"{NAME}.{path.stem}" for path in sorted((ROOT / "plugins" / "modules").glob("*.py"))]
    documented = run([str(place / "bin" / "ansible-doc"), "--json", *modules], cwd=PLACE, env=OFFLINE, quiet=True)
    ran(len(json.loads(documented[documented.index("{") :])), "documented modules of the installed bundle")
    playbook = [str(place / "bin" / "ansible-playbook"), "-i", "localhost,", "--syntax-check", f"{NAME}.plan_rollout"]
    run(playbook, cwd=PLACE, env=OFFLINE, quiet=True)
    run([str(place / "bin" / "patchtide-rehearse"), "--help"], cwd=PLACE, env=OFFLINE, quiet=True)


if __name__ == "__main__":
    main()
