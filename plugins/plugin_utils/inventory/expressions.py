# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Expressions of ``compose``, ``groups`` and ``keyed_groups`` without Ansible's templating, which is slow per host.

Jinja parses an expression once; the common forms become functions of a host's variables. What could give another result
in Jinja raises ``Unsure``, for a whole expression or for one host, and is left to Jinja: undefined names, results that
look like templates or literals, values of other types than expected.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from jinja2 import Environment, TemplateError, nodes

from ...module_utils._core.nodes import PREFIX

#: A host's variables to the value of an expression.
Evaluate = Callable[[Mapping[str, Any]], Any]
_ENVIRONMENT = Environment()
_MISSING = object()
_COMPARE: dict[str, Callable[[Any, Any], Any]] = {
    "eq": lambda left, right: left == right,
    "ne": lambda left, right: left != right,
    "in": lambda left, right: left in right,
    "notin": lambda left, right: left not in right,
}
_FILTERS: dict[str, Callable[[str], str]] = {"upper": str.upper, "lower": str.lower, "trim": str.strip}


class Unsure(Exception):
    """Only Jinja can evaluate this."""


def compiled(expression: Any) -> Evaluate | None:
    """Return the function of an expression; ``None`` if it has another form than the common ones."""
    if not isinstance(expression, str):
        return None
    try:
        (output,) = _ENVIRONMENT.parse("{{" + expression + "}}").body
        (node,) = output.nodes  # type: ignore[attr-defined]
        value = _function(node)
    except (TemplateError, Unsure, ValueError, AttributeError, RecursionError):
        return None

    def evaluate(variables: Mapping[str, Any]) -> Any:
        found = value(variables)
        if isinstance(found, str) and (found.startswith("[") or found in ("True", "False")):
            raise Unsure  # a literal to some versions of ansible-core
        return found

    return evaluate


def condition(expression: Any) -> Evaluate | None:
    """Return the function of a condition, which gives True or False; ``None`` as in ``compiled``."""
    value = compiled(expression)
    if value is None:
        return None

    def evaluate(variables: Mapping[str, Any]) -> Any:
        found = value(variables)
        if not isinstance(found, bool):  # versions of ansible-core differ in what else they take as true
            raise Unsure
        return found

    return evaluate


def _function(node: nodes.Node) -> Evaluate:
    make = _NODES.get(type(node))
    if make is None:
        raise Unsure
    return make(node)


def _const(node: Any) -> Evaluate:
    value = node.value
    if not isinstance(value, (str, bool)) or "{" in str(value):
        raise Unsure
    return lambda _variables: value


def _name(node: Any) -> Evaluate:
    name = node.name
    if not name.startswith(PREFIX):  # other variables may be templates of an earlier source
        raise Unsure
    return lambda variables: _plain(variables.get(name, _MISSING))


def _member(node: Any) -> Evaluate:
    """``a.b`` and ``a['b']``. A name of a dictionary's method is left to Jinja, as is a missing member."""
    inner, key = _function(node.node), _key_of(node)

    def evaluate(variables: Mapping[str, Any]) -> Any:
        value = inner(variables)
        if not isinstance(value, Mapping):
            raise Unsure
        return _plain(value.get(key, _MISSING))

    return evaluate


def _key_of(node: Any) -> str:
    """Return the last name of a path."""
    if isinstance(node, nodes.Name):
        return str(node.name)
    if isinstance(node, nodes.Getattr) and not hasattr(dict, node.attr):
        return str(node.attr)
    arg = getattr(node, "arg", None)
    if not isinstance(arg, nodes.Const) or not isinstance(arg.value, str):
        raise Unsure
    return arg.value


def _plain(value: Any) -> Any:
    if value is _MISSING or (isinstance(value, str) and "{" in value):
        raise Unsure
    return value


def _filter(node: Any) -> Evaluate:
    if node.kwargs or node.dyn_args or node.dyn_kwargs or node.node is None:
        raise Unsure
    if node.name in ("default", "d"):
        return _default(node)
    if node.name not in _FILTERS or node.args:
        raise Unsure
    inner, change = _function(node.node), _FILTERS[node.name]
    return lambda variables: change(_text(inner(variables)))


def _default(node: Any) -> Evaluate:
    """``x | default('y')`` and ``x | default('y', true)``, where a name or its last member may be missing."""
    if len(node.args) not in (1, 2) or not isinstance(node.node, (nodes.Name, nodes.Getattr, nodes.Getitem)):
        raise Unsure
    inner, other = _function(node.node), _function(node.args[0])
    boolean = len(node.args) == 2 and isinstance(node.args[1], nodes.Const) and node.args[1].value is True
    if len(node.args) == 2 and not boolean:
        raise Unsure
    parent = None if isinstance(node.node, nodes.Name) else _function(node.node.node)
    key = _key_of(node.node)

    def evaluate(variables: Mapping[str, Any]) -> Any:
        holder = variables if parent is None else parent(variables)
        if not isinstance(holder, Mapping):
            raise Unsure
        if key not in holder:
            return other(variables)
        value = inner(variables)
        return other(variables) if boolean and not value else value

    return evaluate


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise Unsure
    return value


def _compare(node: Any) -> Evaluate:
    if len(node.ops) != 1 or node.ops[0].op not in _COMPARE:
        raise Unsure
    left, right, test = _function(node.expr), _function(node.ops[0].expr), _COMPARE[node.ops[0].op]

    def evaluate(variables: Mapping[str, Any]) -> Any:
        try:
            return test(left(variables), right(variables))
        except TypeError:
            raise Unsure from None

    return evaluate


def _list(node: Any) -> Evaluate:
    items = [_function(item) for item in node.items]
    return lambda variables: [item(variables) for item in items]


def _concat(node: Any) -> Evaluate:
    parts = [_function(part) for part in node.nodes]
    return lambda variables: "".join(_text(part(variables)) for part in parts)


def _not(node: Any) -> Evaluate:
    inner = _function(node.node)
    return lambda variables: not inner(variables)


def _and(node: Any) -> Evaluate:
    left, right = _function(node.left), _function(node.right)
    return lambda variables: left(variables) and right(variables)


def _or(node: Any) -> Evaluate:
    left, right = _function(node.left), _function(node.right)
    return lambda variables: left(variables) or right(variables)


def _choice(node: Any) -> Evaluate:
    """``a if b else c``."""
    if node.expr2 is None:
        raise Unsure
    test, first, second = _function(node.test), _function(node.expr1), _function(node.expr2)
    return lambda variables: first(variables) if test(variables) else second(variables)


_NODES: dict[type[nodes.Node], Callable[[Any], Evaluate]] = {
    nodes.Const: _const,
    nodes.Name: _name,
    nodes.Getattr: _member,
    nodes.Getitem: _member,
    nodes.Filter: _filter,
    nodes.Compare: _compare,
    nodes.List: _list,
    nodes.Concat: _concat,
    nodes.Not: _not,
    nodes.And: _and,
    nodes.Or: _or,
    nodes.CondExpr: _choice,
}
