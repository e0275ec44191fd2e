"""Writes parts of CloudFormation templates that are made from tables in the code, between two comments."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import yaml

#: ``# Made from … by tools/….py: NAME`` up to ``# End``.
_MADE = re.compile(r"^( *)(# Made from [^\n]* by tools/\w+\.py: )([\w ]+)\n.*?(?=^ *# End$)", re.MULTILINE | re.DOTALL)


class Call(dict[str, Any]):
    """A function of CloudFormation: ``{"If": […]}`` is written as ``!If``."""


class Row(dict[str, Any]):
    """A mapping that is written on one line."""


class _Tagged(yaml.SafeDumper):
    """Writes short forms of CloudFormation's functions."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)

    def ignore_aliases(self, data: Any) -> bool:
        """CloudFormation reads no aliases (user guide, template formats)."""
        return True


def _write_call(dumper: _Tagged, call: Call) -> yaml.Node:
    ((name, value),) = call.items()
    if isinstance(value, list):
        return dumper.represent_sequence(f"!{name}", value, flow_style=name != "If" or len(str(value)) < 120)
    return dumper.represent_scalar(f"!{name}", value)


def _write_row(dumper: _Tagged, row: Row) -> yaml.Node:
    return dumper.represent_mapping("tag:yaml.org,2002:map", row, flow_style=True)


_Tagged.add_representer(Call, _write_call)
_Tagged.add_representer(Row, _write_row)


def remade(text: str, made: Mapping[str, Any]) -> str:
    """Return a template with these parts in place of those that it has. :raises KeyError: it names another part."""

    def written(found: re.Match[str]) -> str:
        data = yaml.dump(made[found[3]], Dumper=_Tagged, sort_keys=False, width=110, allow_unicode=True)
        return f"{found[1]}{found[2]}{found[3]}\n" + "".join(f"{found[1]}{line}\n" for line in data.splitlines())

    return _MADE.sub(written, text)
