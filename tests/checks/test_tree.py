"""Names, licences, leaks, pins: what holds for the whole tree."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.checks.source import PLUGINS, ROOT, name_of, python_files, read_yaml, tracked

# Written so that this file does not match itself. Hosts of package registries and mirrors, and paths of one machine.
LEAKS = re.compile(
    rb"/wo[r]k/(main|steering|shared|\.)|/fa[r]m/|/ro[o]t/\.|(deb|security|snapshot)\.deb[i]an\.org|(files\.pythonh[o]sted|py[p]i)\.org"
    rb"|registry\.npm[j]s|/opt/(py[p]i|wh[e]els)"
)
VAGUE = {"utils.py", "util.py", "helpers.py", "helper.py", "common.py", "misc.py"}
SPDX = "SPDX-License-Identifier: GPL-3.0-or-later"


def test_no_machine_path_or_package_host_in_tracked_files() -> None:
    files = tracked()
    assert len(files) > 50
    assert not [name_of(path) for path in files if path.suffix != ".png" and LEAKS.search(path.read_bytes())]


def test_files_are_named_after_what_they_know() -> None:
    assert not [name_of(path) for path in tracked() if path.name in VAGUE]


def test_namespace_packages_have_no_init() -> None:
    assert not [name_of(path) for path in tracked() if path.name == "__init__.py"]


@pytest.mark.parametrize("path", python_files(PLUGINS), ids=name_of)
def test_plugin_names_its_licence(path: Path) -> None:
    assert SPDX in "\n".join(path.read_text(encoding="utf-8").splitlines()[:6])


def test_sanity_has_no_ignore_entries() -> None:
    assert not [name_of(path) for path in (ROOT / "tests").glob("sanity/*") if path.name.startswith("ignore")]


def test_what_ci_installs_is_pinned() -> None:
    for name in ("requirements-dev.txt", "requirements-lab.txt", "constraints.txt"):
        lines = [line for line in (ROOT / name).read_text().splitlines() if line and not line.startswith(("#", "-r "))]
        assert lines and not [line for line in lines if "==" not in line], name


def test_what_users_install_is_a_range() -> None:
    lines = [line for line in (ROOT / "requirements.txt").read_text().splitlines() if line and not line.startswith("#")]
    assert lines and not [line for line in lines if ">=" not in line]


def test_make_targets_that_documents_name_exist() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.M))
    documents = [path for path in tracked() if path.suffix == ".md"]
    named = {(name_of(path), name) for path in documents for name in _make_commands(path)}
    assert named and not [row for row in named if row[1] not in targets]


def _make_commands(path: Path) -> list[str]:
    return re.findall(r"(?:`|^\$ |^)make ([a-z-]+)", path.read_text(encoding="utf-8"), re.M)


def test_version_has_a_changelog_entry() -> None:
    version = read_yaml(ROOT / "galaxy.yml")["version"]
    assert version in read_yaml(ROOT / "changelogs" / "changelog.yaml")["releases"]
    assert f"v{version}" in (ROOT / "CHANGELOG.md").read_text().replace("\\", "")


def test_every_directory_of_tests_is_run_by_a_make_target() -> None:
    recipes = (ROOT / "Makefile").read_text()
    places = {path.relative_to(ROOT).parts[1] for path in (ROOT / "tests").rglob("test_*.py")}
    assert places and not [place for place in sorted(places) if f"tests/{place}" not in recipes]
