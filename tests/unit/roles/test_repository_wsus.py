# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The role's PowerShell, which nothing here can run: it parses, has no aliases, and writes nothing in check mode."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import tree_sitter
import tree_sitter_powershell

FILES = sorted((Path(__file__).parents[3] / "roles" / "repository_wsus" / "files").glob("*.ps1"))
LANGUAGE = tree_sitter.Language(tree_sitter_powershell.language())
#: What changes a server. Each call stands in a block that asks ShouldProcess.
CHANGES = r"\.StartSynchronization\(|\.Approve\(|\.AcceptLicenseAgreement\(|\.Decline\(|Invoke-WsusServerCleanup"


def nodes(node: tree_sitter.Node) -> Iterator[tree_sitter.Node]:
    yield node
    for child in node.children:
        yield from nodes(child)


def parsed(path: Path) -> tree_sitter.Node:
    return tree_sitter.Parser(LANGUAGE).parse(path.read_bytes()).root_node


def text(node: tree_sitter.Node) -> str:
    return (node.text or b"").decode()


def test_there_is_a_script_for_each_step() -> None:
    assert [path.stem for path in FILES] == ["approve", "decline", "needed", "state", "synchronize"]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_it_parses(path: Path) -> None:
    assert not [text(node)[:60] for node in nodes(parsed(path)) if node.is_error or node.is_missing]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_commands_have_their_full_names(path: Path) -> None:
    """Cmdlets are verb and noun; ``Get-Parents`` is the script's own."""
    names = {text(node) for node in nodes(parsed(path)) if node.type == "command_name"}
    assert names and not [name for name in names if not re.fullmatch(r"[A-Z][A-Za-z]+-[A-Z][A-Za-z]+", name)]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_it_changes_nothing_in_check_mode(path: Path) -> None:
    """win_powershell runs a script in check mode only if it supports ShouldProcess, which then answers no."""
    tree = parsed(path)
    guarded = [node for node in nodes(tree) if node.type == "if_statement" and "ShouldProcess(" in text(node)[:80]]
    spans = [(node.start_byte, node.end_byte) for node in guarded]
    source = path.read_bytes()
    found = list(re.finditer(CHANGES.encode(), source))
    assert bool(found) == ("SupportsShouldProcess = $true" in source.decode()) == bool(guarded)
    assert all(any(start < match.start() < end for start, end in spans) for match in found)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_it_reports_whether_it_changed_anything(path: Path) -> None:
    source = path.read_text()
    assert "$Ansible.Changed = " in source and "$Ansible.Result = @{" in source
