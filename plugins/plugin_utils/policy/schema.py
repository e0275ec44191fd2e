# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks a policy against its JSON Schema, with readable messages."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from ...module_utils._core.errors import PatchtideError
from ...module_utils._core.executors import near, not_served_text
from ...module_utils._core.policy.checks import suggest
from ...module_utils._core.policy.errors import Mistake
from ...module_utils._core.text import nearest

try:
    import jsonschema
except ImportError:
    jsonschema = None  # type: ignore[assignment]

SCHEMA_FILE = Path(__file__).parents[3] / "schemas" / "policy.schema.json"
_KINDS = {
    "string": "a text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "array": "a list",
    "object": "a mapping of keys to values",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A mistake and its path in the data."""

    mistake: Mistake
    where: tuple[str | int, ...]


@cache
def policy_schema() -> dict[str, Any]:
    """Return the schema that the collection ships."""
    return dict(json.loads(SCHEMA_FILE.read_text(encoding="utf-8")))


def check_schema(data: Any) -> list[Found]:
    """Return every mistake that the schema finds, one per path. Messages about allowed values are preferred to types.

    :raises PatchtideError: the library jsonschema is not installed.
    """
    if jsonschema is None:
        raise PatchtideError(
            "Reading a policy requires the Python library jsonschema on the controller: pip install jsonschema"
        )
    errors = sorted(_validator().iter_errors(data), key=lambda error: bool(error.validator == "enum"))
    return list({found.where: found for error in errors for found in _explain(error)}.values())


def without_mistakes(data: Any, found: Sequence[Found]) -> dict[str, Any]:
    """Return a copy without invalid values, so that the rest can be checked.

    Entries of lists become empty instead of being removed, so that the others keep their index.
    """
    clean = deepcopy(data) if isinstance(data, Mapping) else {}
    for item in sorted((one for one in found if one.where), key=lambda one: len(one.where), reverse=True):
        holder: Any = clean
        for step in item.where[:-1]:
            holder = holder[step]
        if isinstance(holder, dict):
            holder.pop(item.where[-1], None)
        elif isinstance(holder, list):
            holder[int(item.where[-1])] = ""
    return dict(clean)


def to_path(where: Sequence[str | int]) -> str:
    """``("waves", 1, "size")`` to ``waves[1].size``."""
    text = ""
    for step in where:
        name = step if isinstance(step, int) or step.isprintable() else repr(step)
        text += f"[{step}]" if isinstance(step, int) else f".{name}" if text else str(name)
    return text or "(top level)"


@cache
def _validator() -> Any:
    def fullmatch(validator: Any, pattern: str, instance: Any, schema: Mapping[str, Any]) -> Iterator[Any]:
        """Python's ``$`` accepts a final newline, which names must not have."""
        if validator.is_type(instance, "string") and not re.fullmatch(pattern, instance):
            yield jsonschema.ValidationError("pattern")

    base = jsonschema.Draft202012Validator
    extend: Any = jsonschema.validators.extend
    return extend(base, {"pattern": fullmatch})(policy_schema())


def _explain(error: Any) -> Iterator[Found]:
    where = tuple(error.absolute_path)
    schema = error.schema if isinstance(error.schema, Mapping) else {}
    if "propertyNames" in error.absolute_schema_path:
        yield _found((*where, error.instance), error.instance, f"a key that is {_expected(error, schema)}")
    elif error.validator == "additionalProperties":
        known = list(schema.get("properties", {}))
        for key in error.instance:
            if key not in known:
                yield _unknown((*where, key), error.instance[key], known)
    elif error.validator == "required":
        for key in error.validator_value:
            if key not in error.instance:
                yield _found((*where, key), None, _first_sentence(schema["properties"][key]))
    elif error.validator == "enum" and where[-2:-1] in (("executors",), ("executor_order",)):
        expected = f"one that is{near(str(error.instance))}"
        mistake = Mistake(path=to_path(where), value=error.instance, expected=expected, problem=not_served_text())
        yield Found(mistake=mistake, where=where)
    else:
        yield _found(where, error.instance, _expected(error, schema))


def _unknown(where: tuple[str | int, ...], value: Any, known: Sequence[str]) -> Found:
    near = nearest(str(where[-1]), known)
    expected = repr(near) if near else "one of " + ", ".join(known)
    shown = value if isinstance(value, (str, int, float)) else "…"
    mistake = Mistake(path=to_path(where), value=shown, expected=expected, problem="has an unknown key")
    return Found(mistake=mistake, where=where)


def _found(where: tuple[str | int, ...], value: Any, expected: str) -> Found:
    return Found(mistake=Mistake(path=to_path(where), value=value, expected=expected), where=where)


def _expected(error: Any, schema: Mapping[str, Any]) -> str:
    rule, wanted, value = error.validator, error.validator_value, error.instance
    if rule == "enum":
        known = [str(item) for item in wanted if item is not None]
        near = suggest(str(value), known)
        return "one of " + ", ".join(known) + (near if near.startswith(" (") else "")
    if rule == "const":
        return str(wanted)
    if rule in ("minimum", "maximum", "exclusiveMinimum"):
        return _range(schema)
    if rule in ("type", "pattern") and "patternErrorMessage" in schema:
        return str(schema["patternErrorMessage"])
    if rule == "type":
        kinds = [wanted] if isinstance(wanted, str) else wanted
        return " or ".join(_KINDS[kind] for kind in kinds if kind != "null")
    fixed = {
        "minItems": f"at least {wanted} entries" if wanted != 1 else "at least one entry",
        "maxItems": f"at most {wanted} entries",
        "minLength": "a text that is not empty",
        "maxLength": f"at most {wanted} characters",
        "minProperties": "at least one key, otherwise it would select every node",
    }
    return fixed.get(rule, str(error.message))


def _range(schema: Mapping[str, Any]) -> str:
    if "patternErrorMessage" in schema:
        return str(schema["patternErrorMessage"])
    if "exclusiveMinimum" in schema:
        return f"more than {schema['exclusiveMinimum']}"
    low, high = schema.get("minimum"), schema.get("maximum")
    return f"{low} or more" if high is None else f"{low} to {high}"


def _first_sentence(schema: Mapping[str, Any]) -> str:
    text = str(schema.get("description", "a value"))
    return text.partition(". ")[0].rstrip(".").replace(text[0], text[0].lower(), 1)
