# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""YAML that a person wrote, or an attacker: read within bounds, each key once, dates as text."""

from __future__ import annotations

from typing import Any

try:
    import yaml
    from yaml import SafeLoader
except ImportError:  # on a host that runs a module; who needs it there says so
    SafeLoader = object  # type: ignore[assignment,misc]

#: Characters of a file, entries once its aliases are written out, levels of nesting, and digits of a number.
SIZE, ENTRIES, DEEPEST, DIGITS = 1_000_000, 50_000, 50, 18
_NUMBERS = ("tag:yaml.org,2002:int", "tag:yaml.org,2002:float")


class BoundedLoader(SafeLoader):
    """The safe loader without timestamps (``2026-12-31`` is text); refuses what would take seconds or gigabytes."""

    yaml_implicit_resolvers = {  # noqa: RUF012  # as the base class declares it
        first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
        for first, resolvers in getattr(SafeLoader, "yaml_implicit_resolvers", {}).items()
    }

    def __init__(self, text: str) -> None:
        if len(text) > SIZE:
            raise yaml.MarkedYAMLError(problem=f"the file has {len(text)} characters, at most {SIZE} are read")
        super().__init__(text)
        self._depth = 0
        self._made = 0

    def compose_node(self, parent: Any, index: Any) -> Any:
        """Count entries and levels while they are read, before anything grows."""
        mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]
        self._made += 1
        if self._depth >= DEEPEST or self._made > ENTRIES:
            what = f"more than {DEEPEST} levels" if self._depth >= DEEPEST else f"more than {ENTRIES} entries"
            raise yaml.MarkedYAMLError(problem=f"the file has {what}", problem_mark=mark)
        self._depth += 1
        try:
            return super().compose_node(parent, index)
        finally:
            self._depth -= 1


def compose(loader: BoundedLoader) -> Any:
    """Return the only document's node, ``None`` if there is none.

    :raises yaml.YAMLError: it is not YAML, or more than is read.
    """
    node = loader.get_single_node()
    if node is not None:
        _measure(node, {}, set())
    return node


def construct(loader: BoundedLoader, node: Any) -> Any:
    """Return the data of a node. :raises yaml.YAMLError: a value is not what its form says."""
    try:
        return loader.construct_document(node)
    except (ValueError, TypeError, OverflowError, LookupError) as error:
        raise yaml.MarkedYAMLError(problem=str(error)[:200], problem_mark=node.start_mark) from error


def _measure(node: Any, known: dict[int, int], open_nodes: set[int]) -> int:
    """Return how many entries a node has once its aliases are written out."""
    if isinstance(node, yaml.ScalarNode):
        if node.tag in _NUMBERS and sum(char.isalnum() for char in node.value) > DIGITS + 6:
            raise yaml.MarkedYAMLError(problem=f"a number of more than {DIGITS} digits", problem_mark=node.start_mark)
        return 1
    if id(node) in open_nodes:
        raise yaml.MarkedYAMLError(problem="an alias inside of its own anchor", problem_mark=node.start_mark)
    if id(node) not in known:
        open_nodes.add(id(node))
        inner = (item for pair in node.value for item in (pair if isinstance(pair, tuple) else (pair,)))
        known[id(node)] = 1 + sum(_measure(item, known, open_nodes) for item in inner)
        open_nodes.discard(id(node))
    if known[id(node)] > ENTRIES:
        raise yaml.MarkedYAMLError(
            problem=f"more than {ENTRIES} entries once its aliases are written out", problem_mark=node.start_mark
        )
    return known[id(node)]


def parse(text: str) -> Any:
    """Return the data of a YAML or JSON text; duplicate keys are refused.

    :raises yaml.YAMLError: it is not YAML, or more than is read.
    """
    loader = BoundedLoader(text)
    try:
        node = compose(loader)
        if node is None:
            return None
        _once(node, set())
        return construct(loader, node)
    finally:
        loader.dispose()


def _once(node: Any, seen: set[int]) -> None:
    if isinstance(node, yaml.ScalarNode) or id(node) in seen:
        return
    seen.add(id(node))
    if isinstance(node, yaml.SequenceNode):
        for item in node.value:
            _once(item, seen)
        return
    keys: set[str] = set()
    for key, item in node.value:
        name = key.value if isinstance(key, yaml.ScalarNode) else ""
        if name and name in keys:
            raise yaml.MarkedYAMLError(problem=f"the key {name[:80]!r} is a duplicate", problem_mark=key.start_mark)
        keys.add(name)
        _once(key, seen)
        _once(item, seen)
