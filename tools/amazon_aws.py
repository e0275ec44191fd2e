"""Takes the collection amazon.aws from the Python package ansible, which PyPI and its mirrors have, without Galaxy.

``amazon_aws.py VENV`` puts it where ansible-core of that virtual environment finds it, unless it is there already.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
INSIDE = "ansible_collections/amazon/aws/"


def main(venv: Path) -> None:
    (site,) = venv.glob("lib/python*/site-packages")
    if (site / INSIDE / "MANIFEST.json").exists():
        print("amazon.aws is there")
        return
    extract(site)
    print(f"amazon.aws is in {site}")


def extract(place: Path) -> None:
    """Put ansible_collections/amazon/aws into ``place``."""
    with tempfile.TemporaryDirectory() as folder, zipfile.ZipFile(_wheel(Path(folder))) as wheel:
        wheel.extractall(place, _members(wheel))


def _members(wheel: zipfile.ZipFile) -> list[str]:
    return [name for name in wheel.namelist() if name.startswith(INSIDE)]


def _wheel(folder: Path) -> Path:
    """Download the version that constraints.txt pins."""
    pinned = re.search(r"^ansible==(\S+)$", (ROOT / "constraints.txt").read_text("utf-8"), re.MULTILINE)
    assert pinned, "constraints.txt pins ansible"
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
    subprocess.run([*command, "--dest", str(folder), f"ansible=={pinned[1]}"], check=True)
    (wheel,) = folder.glob("ansible-*.whl")
    return wheel


if __name__ == "__main__":
    main(Path(sys.argv[1]))
