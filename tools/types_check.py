"""mypy --strict over what has types: the collection's Python outside of modules, and the lab."""

from __future__ import annotations

from pathlib import Path

from running import PYTHON, ROOT, ran, run

PLUGINS = Path("build/tree/ansible_collections/patchtide/hybrid/plugins")
CHECKED = [
    *(PLUGINS / name for name in ("module_utils", "plugin_utils", "action", "inventory")),
    Path("lab"),
    Path("tools"),
]


def main() -> None:
    files = [str(file) for place in CHECKED if place.is_dir() for file in sorted(place.rglob("*.py"))]
    run([PYTHON, "-m", "mypy", *files], cwd=ROOT)
    ran(len(files), "files")


if __name__ == "__main__":
    main()
