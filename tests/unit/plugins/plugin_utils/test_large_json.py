# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Large files of ours: what is equal is there once, and what is read is what was written."""

from __future__ import annotations

import gc
import json
import multiprocessing
from multiprocessing.queues import SimpleQueue
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.canonical import to_lines
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.files import read_json, write_pieces
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.large_json import (
    collector_paused,
    leave_parent_alone,
    parse_shared,
)
from hypothesis import given
from hypothesis import strategies as st

PATCH = {"id": "KB1", "title": "Update", "cve_ids": ["CVE-1"], "severity": "Critical"}
VALUES = st.none() | st.text(max_size=2) | st.lists(st.text(max_size=1), max_size=2)


def test_equal_patches_are_one_object_and_others_are_not() -> None:
    other = {**PATCH, "cve_ids": ["CVE-2"]}
    found = parse_shared(json.dumps([[PATCH], [PATCH, other], {"id": "KB1"}, {"id": "KB1"}]))
    assert found == [[PATCH], [PATCH, other], {"id": "KB1"}, {"id": "KB1"}]
    assert found[0][0] is found[1][0] and found[2] is not found[3]


@given(
    st.lists(st.fixed_dictionaries({"id": VALUES, "title": VALUES}, optional={"a": VALUES, "b": VALUES}), max_size=5)
)
def test_what_is_read_is_what_was_written(data: list[dict[str, Any]]) -> None:
    assert parse_shared(json.dumps(data)) == data
    assert json.loads("".join(to_lines({"x": data}))) == {"x": data}


def test_a_patch_with_members_of_its_own_is_left_alone() -> None:
    odd = {**PATCH, "more": {"a": [{}]}}
    assert parse_shared(json.dumps([odd, odd])) == [odd, odd]


def test_a_file_for_people_has_a_node_on_each_line(tmp_path: Path) -> None:
    plan = {"waves": [{"name": "all", "nodes": [{"node_id": "i-1", "patches": [PATCH]}, {"node_id": "i-2"}]}]}
    write_pieces(tmp_path / "new" / "plan.json", to_lines(plan))
    text = (tmp_path / "new" / "plan.json").read_text()
    assert '\n{"node_id":"i-2"}' in text and text.endswith("}\n")
    assert read_json(tmp_path / "new" / "plan.json", "dir") == plan


def test_a_file_that_can_not_be_written_to_its_end_stays_as_it_was(tmp_path: Path) -> None:
    file = tmp_path / "plan.json"
    file.write_text("before")
    with pytest.raises(TypeError):
        write_pieces(file, to_lines({"a": {"b": object()}}))
    assert [item.name for item in tmp_path.iterdir()] == ["plan.json"] and file.read_text() == "before"


def test_the_collector_is_back_after_an_error() -> None:
    with pytest.raises(ValueError):
        parse_shared("no")
    assert gc.isenabled()
    gc.disable()
    try:
        with collector_paused():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()


def _frozen(answers: SimpleQueue[int]) -> None:
    leave_parent_alone()
    answers.put(gc.get_freeze_count())


def test_only_a_forked_worker_keeps_the_collector_off_what_it_inherited() -> None:
    context = multiprocessing.get_context("fork")
    answers = context.SimpleQueue()
    leave_parent_alone()
    assert gc.get_freeze_count() == 0
    worker = context.Process(target=_frozen, args=(answers,))
    worker.start()
    assert answers.get() > 1000
    worker.join()
