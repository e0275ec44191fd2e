# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The policy file: YAML with lines, duplicate keys, text that looks like something else; and our own examples."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.errors import BadInput, PatchtideError
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.policy.errors import PolicyError
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.health import conditions
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.policy.file import check_policy, load_policy

ROOT = Path(__file__).parents[5]


def error_of(folder: Path, text: str) -> PolicyError:
    file = folder / "policy.yml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(PolicyError) as caught:
        load_policy(file)
    return caught.value


def test_missing_file() -> None:
    with pytest.raises(BadInput, match=r"path: '/nowhere/policy.yml' .*No such file"):
        load_policy("/nowhere/policy.yml")


def test_file_that_is_not_text(tmp_path: Path) -> None:
    (tmp_path / "policy.yml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(BadInput, match="not UTF-8"):
        load_policy(tmp_path / "policy.yml")


def test_mistakes_carry_their_lines_in_order(tmp_path: Path) -> None:
    text = "version: 1\nname: x\nwaves:\n  - name: a\n    size: ten\n  - name: b\n    windwo: c\nreboot: {rule: no}\n"
    error = error_of(tmp_path, text)
    assert [(item.line, item.path) for item in error.mistakes] == [
        (5, "waves[0].size"),
        (7, "waves[1].windwo"),
        (8, "reboot.rule"),
    ]
    assert str(error).splitlines()[0].endswith("policy.yml has 3 mistakes:")


def test_a_missing_key_has_the_line_of_what_misses_it(tmp_path: Path) -> None:
    error = error_of(tmp_path, "version: 1\nname: x\nwaves:\n  - size: 1\n")
    assert str(error).splitlines()[1].startswith("  line 4: waves[0].name is missing, expected name of the wave")


def test_a_schedule_field_has_the_line_of_the_schedule(tmp_path: Path) -> None:
    window = "windows:\n- name: night\n  duration_hours: 1\n  schedule: cron(0 25 * * ? *)\n"
    error = error_of(tmp_path, f"version: 1\nname: x\n{window}")
    assert [(item.line, item.path) for item in error.mistakes] == [(6, "windows[0].schedule: hours")]


def test_a_key_twice(tmp_path: Path) -> None:
    error = error_of(tmp_path, "version: 1\nname: x\nname: y\n")
    assert str(error).endswith("line 3: name: 'name' is a duplicate of line 2, expected each key once")


@pytest.mark.parametrize("text", ["name: 'x", "a: [1\nb: 2", "\tversion: 1", "!!python/object:os.system {}", "a: *b"])
def test_broken_yaml(tmp_path: Path, text: str) -> None:
    error = error_of(tmp_path, text)
    assert error.mistakes[0].path == "(YAML)"
    assert "valid YAML" in str(error)


@pytest.mark.parametrize("text", ["", "# only a comment\n", "---\n"])
def test_empty_file(tmp_path: Path, text: str) -> None:
    assert "the file is empty" in str(error_of(tmp_path, text))


def test_loop_of_aliases(tmp_path: Path) -> None:
    assert "an alias inside of its own anchor" in str(error_of(tmp_path, "version: 1\nname: x\nwaves: &a [*a]\n"))


def test_dates_stay_text(tmp_path: Path) -> None:
    rule = "{approve_until_date: 2026-12-31}"
    baseline = f"{{name: one, operating_system: WINDOWS, rules: [{rule}]}}"
    (tmp_path / "policy.yml").write_text(f"version: 1\nname: x\nbaselines: [{baseline}]\n", encoding="utf-8")
    assert load_policy(tmp_path / "policy.yml").baselines[0].rules[0].approve_until_date == "2026-12-31"


def test_anchors_and_merge_keys_work(tmp_path: Path) -> None:
    text = "version: 1\nname: x\nwaves:\n- &a {name: a, soak_minutes: 5}\n- {<<: *a, name: b}\n"
    (tmp_path / "policy.yml").write_text(text, encoding="utf-8")
    assert [(wave.name, wave.soak_minutes) for wave in load_policy(tmp_path / "policy.yml").waves] == [
        ("a", 5),
        ("b", 5),
    ]


def test_json_is_a_policy_file_too(tmp_path: Path) -> None:
    (tmp_path / "policy.json").write_text('{"version": 1, "name": "x"}', encoding="utf-8")
    assert load_policy(tmp_path / "policy.json").name == "x"


@pytest.mark.parametrize("file", ["examples/policy.yml", "lab/policy.yml"])
def test_our_own_policies_are_good(file: str) -> None:
    assert len(load_policy(ROOT / file).waves) >= 3


def keys_of(schema: Any) -> set[str]:
    if isinstance(schema, list):
        return {key for item in schema for key in keys_of(item)}
    if not isinstance(schema, dict):
        return set()
    return set(schema.get("properties", {})) | {key for item in schema.values() for key in keys_of(item)}


@pytest.mark.parametrize("file", ["docs/policy.md", "examples/policy.yml"])
def test_every_key_is_explained(file: str) -> None:
    schema = json.loads((ROOT / "schemas" / "policy.schema.json").read_text("utf-8"))
    text = (ROOT / file).read_text("utf-8")
    quoted = (
        (lambda key: f"`{key}`" in text or f"[].{key}`" in text)
        if file.endswith(".md")
        else (lambda k: f"{k}:" in text)
    )
    inside = {"linux", "windows", "macos", "delivery", "execution"}  # explained in the value of the key around them
    assert not [key for key in sorted(keys_of(schema) - inside) if not quoted(key)]


def test_a_condition_that_is_no_expression_is_found_with_the_policy() -> None:
    health_check = {"name": "a", "http": {"url": "http://a.example"}, "condition": "json.["}
    fine = {**health_check, "condition": "json.ok"}
    data = {
        "version": 1,
        "name": "x",
        "gates": {"health_checks": [fine]},
        "waves": [{"name": "canary", "gate": {"health_checks": [health_check]}}, {"name": "rest"}],
        "budgets": {"quorum": [{"health_check": health_check}]},
    }
    with pytest.raises(PolicyError) as caught:
        check_policy(data)
    paths = [mistake.path for mistake in caught.value.mistakes]
    assert paths == ["budgets.quorum[0].health_check.condition", "waves[0].gate.health_checks[0].condition"]
    assert "JMESPath" in str(caught.value)


def test_without_jmespath_only_policies_with_conditions_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conditions, "jmespath", None)
    health_check = {"name": "a", "http": {"url": "http://a.example"}}
    data = {"version": 1, "name": "x", "gates": {"health_checks": [health_check]}}
    assert check_policy(data).gates.health_checks == (health_check,)
    with pytest.raises(PatchtideError, match="pip install jmespath"):
        check_policy({**data, "gates": {"health_checks": [{**health_check, "condition": "json.ok"}]}})


def test_a_selection_that_was_emptied_by_hand_never_selects_everything(tmp_path: Path) -> None:
    wave = "  - name: a\n    select:\n      patch_groups: []\n      tags: {Environment: dev}\n"
    text = f"version: 1\nname: x\nwaves:\n{wave}"
    (mistake,) = error_of(tmp_path, text).mistakes
    assert (mistake.line, mistake.path) == (6, "waves[0].select.patch_groups")
    assert "at least one entry" in mistake.expected
    (tmp_path / "good.yml").write_text(text.replace("      patch_groups: []\n", ""), "utf-8")
    policy = load_policy(tmp_path / "good.yml")
    assert check_policy(policy.to_dict()) == policy, "what policy_info returns is a policy"
