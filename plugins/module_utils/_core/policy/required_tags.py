# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which tags machines have to have: what is missing, what has a wrong value, and what to write. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..errors import BadInput

#: Longest name and value of a tag in Azure, and characters that a name must not have (Microsoft Learn, "Use tags to
#: organize your Azure resources and management hierarchy", limitations).
LONGEST_NAME, LONGEST_VALUE = 512, 256
BAD_CHARACTERS = frozenset("<>%&\\?/")
_MEMBERS = frozenset({"default", "allowed", "pattern"})


@dataclass(frozen=True, slots=True, kw_only=True)
class TagRule:
    """A tag that every machine has to have.

    :param default: value to write where the tag is missing; ``None`` to report it only.
    :param allowed: the values that are valid, any if empty. :param pattern: an expression that the whole value matches.
    """

    name: str
    default: str | None = None
    allowed: tuple[str, ...] = ()
    pattern: str = ""

    def problem(self, value: str) -> str:
        """Return what is wrong with a value, ``""`` if nothing is."""
        if self.allowed and value not in self.allowed:
            return f"expected one of {', '.join(self.allowed)}"
        if self.pattern and not re.fullmatch(self.pattern, value):
            return f"expected a value that matches {self.pattern}"
        return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TagFinding:
    """What is wrong with the tags of one machine.

    :param missing: names of tags that it lacks. :param invalid: name → what is wrong with the value.
    :param misspelt: name → how it is spelled on the machine, where only upper and lower case differ.
    :param defaults: tags to write: missing ones that have a default.
    """

    missing: tuple[str, ...] = ()
    invalid: Mapping[str, str] = field(default_factory=dict)
    misspelt: Mapping[str, str] = field(default_factory=dict)
    defaults: Mapping[str, str] = field(default_factory=dict)

    @property
    def compliant(self) -> bool:
        return not (self.missing or self.invalid or self.misspelt)


def to_tag_rules(option: str, given: Mapping[str, Any]) -> list[TagRule]:
    """Read ``{name: {default, allowed, pattern}}``. :raises BadInput: a rule is not valid, or contradicts itself."""
    if not given:
        raise BadInput(option, given, "at least one tag, such as {Patch Group: {default: none}}")
    folded: dict[str, str] = {}
    for name in given:
        _check_name(option, name)
        if folded.setdefault(name.casefold(), name) != name:
            raise BadInput(
                option, name, f"one spelling of {folded[name.casefold()]}: Azure ignores upper and lower case"
            )
    return [_rule(f"{option}.{name}", name, rule) for name, rule in given.items()]


def judge(tags: Mapping[str, str], rules: Sequence[TagRule]) -> TagFinding:
    """Compare the tags of a machine with the rules. An empty value counts as missing."""
    spelled = {key.casefold(): key for key in tags}
    missing, invalid, misspelt, defaults = [], {}, {}, {}
    for rule in rules:
        key = spelled.get(rule.name.casefold(), rule.name)
        value = tags.get(key, "")
        if not value:
            missing.append(rule.name)
            if rule.default is not None:
                defaults[key] = rule.default
            continue
        if key != rule.name:
            misspelt[rule.name] = key
        if problem := rule.problem(value):
            invalid[rule.name] = problem
    return TagFinding(missing=tuple(missing), invalid=invalid, misspelt=misspelt, defaults=defaults)


def _rule(path: str, name: str, given: Any) -> TagRule:
    given = {} if given is None else given
    if not isinstance(given, Mapping):
        raise BadInput(path, given, "a dictionary with default, allowed, pattern, or nothing")
    if unknown := set(given) - _MEMBERS:
        raise BadInput(f"{path}.{sorted(unknown)[0]}", given[sorted(unknown)[0]], "one of default, allowed, pattern")
    allowed = given.get("allowed") or ()
    if isinstance(allowed, str) or not isinstance(allowed, Sequence):
        raise BadInput(f"{path}.allowed", allowed, "a list of values")
    pattern = str(given.get("pattern") or "")
    try:
        re.compile(pattern)
    except re.error as why:
        raise BadInput(f"{path}.pattern", pattern, f"a regular expression ({why})") from why
    default = None if given.get("default") is None else str(given["default"])
    rule = TagRule(name=name, default=default, allowed=tuple(map(str, allowed)), pattern=pattern)
    if default is not None:
        if not 0 < len(default) <= LONGEST_VALUE:
            raise BadInput(f"{path}.default", default, f"1 to {LONGEST_VALUE} characters")
        if problem := rule.problem(default):
            raise BadInput(f"{path}.default", default, problem.removeprefix("expected "))
    return rule


def _check_name(option: str, name: str) -> None:
    if not 0 < len(name) <= LONGEST_NAME or set(name) & BAD_CHARACTERS or name != name.strip():
        raise BadInput(option, name, f"a tag name of 1 to {LONGEST_NAME} characters without < > % & \\ ? /")
