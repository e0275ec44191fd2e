"""The execution environment: ansible-builder reads the example definition and what the collection asks for."""

from __future__ import annotations

import shutil

import yaml
from running import BUILD, ROOT, fail, ran, run

INSTALLED = BUILD / "installed"
CONTEXT = BUILD / "environment"


def main() -> None:
    shutil.rmtree(CONTEXT, ignore_errors=True)
    definition = ROOT / "examples" / "execution-environment.yml"
    context = ["-c", str(CONTEXT), "--output-filename", "Containerfile", "-v", "1"]
    run(["ansible-builder", "create", "-f", str(definition), *context], quiet=True)
    if not (CONTEXT / "Containerfile").is_file():
        fail("ansible-builder wrote no Containerfile")
    if not (INSTALLED / "ansible_collections").is_dir():
        fail("the collection is not installed in build/installed; run 'make artifact' first")
    found = yaml.safe_load(run(["ansible-builder", "introspect", str(INSTALLED)], quiet=True).partition("---")[2])
    python = found["python"]
    if not any(line.startswith("boto3") for line in python):
        fail(f"the collection's Python requirements are not seen: {found}")
    ran(len(python), "Python requirements of the execution environment")


if __name__ == "__main__":
    main()
