# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads the policy file on the controller: YAML with line numbers, JSON Schema, and the checks of the core."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml

from ...module_utils._ansible.bounded_yaml import BoundedLoader, compose, construct
from ...module_utils._core.errors import BadInput
from ...module_utils._core.policy.checks import find_mistakes
from ...module_utils._core.policy.errors import Mistake, PolicyError
from ...module_utils._core.policy.values import Policy, to_policy
from ..health.conditions import find_condition_mistakes
from .schema import check_schema, without_mistakes


def load_policy(path: str | Path) -> Policy:
    """Read, check and complete a policy file.

    :raises BadInput: the file does not exist.
    :raises PolicyError: it is not YAML or has mistakes; lists all of them with their lines.
    """
    file = Path(path).expanduser()
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise BadInput("path", str(path), f"a readable policy file ({reason})") from None
    data, lines = parse_yaml(text, str(file))
    return check_policy(data, str(file), lines)


def check_policy(data: Any, source: str = "The policy", lines: Mapping[str, int] | None = None) -> Policy:
    """Check and complete a policy given as data.

    :param lines: line of each path, if the data comes from a file.
    """
    try:
        data = json.loads(json.dumps(data, default=str, allow_nan=False))
    except (ValueError, TypeError, RecursionError) as error:  # NaN, a loop, or too many levels
        raise PolicyError(source, [Mistake(path="(top level)", value=str(error), expected="plain data")]) from None
    found = check_schema(data)
    policy = to_policy(without_mistakes(data, found))
    mistakes = [item.mistake for item in found]
    seen = {mistake.path for mistake in mistakes}
    # Only in files: policy_info returns every key, also those that nobody gave.
    more = [*find_mistakes(policy), *find_condition_mistakes(policy), *(_empty_selections(data) if lines else ())]
    mistakes += [mistake for mistake in more if not _covered(mistake.path, seen)]
    if mistakes:
        raise PolicyError(source, sorted((_at_line(item, lines or {}) for item in mistakes), key=_order))
    return policy


def _empty_selections(data: Any, path: str = "", inside: bool = False) -> list[Mistake]:
    """Return lists of a ``select`` that have no entry. They would select all nodes, where their writer meant none."""
    if isinstance(data, list):
        if inside and not data:
            return [Mistake(path=path, value=data, expected="at least one entry; without the key, any will do")]
        return [mistake for number, item in enumerate(data) for mistake in _empty_selections(item, f"{path}[{number}]")]
    if not isinstance(data, dict):
        return []
    found = ((f"{path}.{key}".removeprefix("."), key, value) for key, value in data.items())
    return [
        mistake for place, key, value in found for mistake in _empty_selections(value, place, inside or key == "select")
    ]


def _covered(path: str, seen: set[str]) -> bool:
    """Return whether a mistake is inside or around another known mistake."""
    return any(path == other or path.startswith((f"{other}.", f"{other}[")) for other in seen)


def _order(mistake: Mistake) -> tuple[int, str]:
    return mistake.line or 0, mistake.path


def _at_line(mistake: Mistake, lines: Mapping[str, int]) -> Mistake:
    """Add the line of the path, or of its nearest parent in the file."""
    path = mistake.path.partition(": ")[0]
    ends = [len(path), *(index for index in range(len(path) - 1, 0, -1) if path[index] in ".[")]
    return replace(mistake, line=next((lines[path[:end]] for end in ends if path[:end] in lines), lines.get("")))


def parse_yaml(text: str, source: str) -> tuple[Any, dict[str, int]]:
    """Return the data and the line of each path. Dates remain text; a duplicate key is a mistake."""
    try:
        loader = BoundedLoader(text)
    except yaml.YAMLError as error:
        raise PolicyError(source, [_yaml_mistake(error)]) from None
    try:
        node = compose(loader)
        if node is None or node.tag == "tag:yaml.org,2002:null":
            raise PolicyError(source, [Mistake(path="version", value=None, expected="a policy; the file is empty")])
        lines: dict[str, int] = {}
        twice: list[Mistake] = []
        _walk(node, "", lines, twice, set())
        if twice:
            raise PolicyError(source, twice)
        return construct(loader, node), lines
    except yaml.YAMLError as error:
        raise PolicyError(source, [_yaml_mistake(error)]) from None
    finally:
        loader.dispose()


def _yaml_mistake(error: yaml.YAMLError) -> Mistake:
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or str(error)
    line = mark.line + 1 if mark else None
    shown = (mark.get_snippet(indent=0) or "").split("\n")[0] if mark else ""
    return Mistake(path="(YAML)", value=shown, expected=f"valid YAML: {problem}", line=line)


def _walk(node: yaml.Node, path: str, lines: dict[str, int], twice: list[Mistake], seen: set[int]) -> None:
    lines.setdefault(path, node.start_mark.line + 1)
    if id(node) in seen:  # an alias: its content keeps the lines of the anchor
        return
    seen.add(id(node))
    if isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            _walk(item, f"{path}[{index}]", lines, twice, seen)
    elif isinstance(node, yaml.MappingNode):
        first: dict[str, int] = {}
        for key, item in node.value:
            name = str(key.value) if isinstance(key, yaml.ScalarNode) else "(a key that is no text)"
            inner = f"{path}.{name}" if path else name
            line = key.start_mark.line + 1
            if name in first:
                problem = f"is a duplicate of line {first[name]}"
                twice.append(Mistake(path=inner, value=name, expected="each key once", line=line, problem=problem))
            first[name] = lines[inner] = line
            _walk(item, inner, lines, twice, seen)
