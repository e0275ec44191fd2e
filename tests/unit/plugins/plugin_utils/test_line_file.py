# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""JSON lines: a file of lines that several processes append to, and that a crash may cut."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.line_file import LineFile, LineFileError


def test_records_are_read_in_the_order_in_which_they_were_added(tmp_path: Path) -> None:
    history = LineFile(tmp_path / "new" / "history.jsonl", "x")
    assert history.read() == []
    history.append([])
    assert not history.path.exists()
    history.append([{"n": 1}, {"n": 2}])
    history.append([{"n": 3, "text": "ä"}])
    assert [row["n"] for row in history.read()] == [1, 2, 3]
    assert history.path.stat().st_mode & 0o777 == 0o600


def test_a_line_that_a_crash_cut_is_dropped_and_the_next_one_is_whole(tmp_path: Path) -> None:
    history = LineFile(tmp_path / "history.jsonl", "x")
    history.append([{"n": 1}])
    history.path.write_text(history.path.read_text() + '{"n": 2, "differ')
    assert history.read() == [{"n": 1}]
    history.append([{"n": 3}])
    assert history.read() == [{"n": 1}, {"n": 3}]


def test_hosts_append_at_once(tmp_path: Path) -> None:
    history = LineFile(tmp_path / "history.jsonl", "x")
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: history.append([{"n": number, "text": "x" * 9000}]), range(40)))
    assert sorted(row["n"] for row in history.read()) == list(range(40))


@pytest.mark.parametrize("text", ["hello\n", "[]\n", '{"n": 1}\n3\n'])
def test_another_file_is_refused_by_its_line(tmp_path: Path, text: str) -> None:
    path = tmp_path / "history.jsonl"
    path.write_text(text)
    with pytest.raises(LineFileError, match=r"history.jsonl, line \d is not a record"):
        LineFile(path, "x").read()


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "other")
    with pytest.raises(LineFileError, match="symbolic link"):
        LineFile(tmp_path / "link", "x").append([{"n": 1}])
