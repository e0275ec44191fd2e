"""Takes the stock collections that ours builds on from the Python package ansible, which PyPI and its mirrors have.

``stock_collections.py VENV`` puts them where ansible-core of that virtual environment finds them, without Galaxy,
unless they are there already.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
#: amazon.aws is needed by every module, ansible.windows by Windows hosts over PowerShell Remoting.
COLLECTIONS = ("amazon.aws", "ansible.windows")


def main(venv: Path) -> None:
    (site,) = venv.glob("lib/python*/site-packages")
    missing = [name for name in COLLECTIONS if not (site / folder(name) / "MANIFEST.json").exists()]
    if missing:
        extract(site, missing)
    print(f"in {site}: {', '.join(COLLECTIONS)}")


def folder(name: str) -> str:
    """Return where a collection is within a collections path."""
    return f"ansible_collections/{name.replace('.', '/')}"


def extract(place: Path, names: Sequence[str] = COLLECTIONS) -> None:
    """Put ``ansible_collections`` with these collections into ``place``."""
    wanted = tuple(f"{folder(name)}/" for name in names)
    with tempfile.TemporaryDirectory() as download, zipfile.ZipFile(_wheel(Path(download))) as wheel:
        wheel.extractall(place, [name for name in wheel.namelist() if name.startswith(wanted)])


def _wheel(download: Path) -> Path:
    """Download the version that constraints.txt pins."""
    pinned = re.search(r"^ansible==(\S+)$", (ROOT / "constraints.txt").read_text("utf-8"), re.MULTILINE)
    assert pinned, "constraints.txt pins ansible"
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
    subprocess.run([*command, "--dest", str(download), f"ansible=={pinned[1]}"], check=True)
    (wheel,) = download.glob("ansible-*.whl")
    return wheel


if __name__ == "__main__":
    main(Path(sys.argv[1]))
