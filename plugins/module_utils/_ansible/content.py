# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Document content as data, or as JSON or YAML text."""

from __future__ import annotations

import json
from typing import Any

from .._core.errors import BadInput, PatchtideError

try:
    import yaml

    from .bounded_yaml import parse
except ImportError:  # only documents in YAML need it
    yaml = None  # type: ignore[assignment]


def read_content(content: Any, document_format: str | None) -> Any:
    """Return the content as data, or as text for the format TEXT; ``None`` if it is not set.

    :raises BadInput: the text is not valid JSON or YAML.
    """
    if content is None or document_format == "TEXT" or not isinstance(content, str):
        return content
    form = document_format or "JSON"
    try:
        return json.loads(content) if form == "JSON" else _parse_yaml(content)
    except (ValueError, RecursionError, _errors()) as error:
        raise BadInput("content", content[:60], f"{form} content, as set by document_format ({error})") from None


def render(data: Any, document_format: str) -> str:
    """Write data as text in a document's format."""
    if document_format == "YAML":
        return str(_yaml().safe_dump(data, sort_keys=False, allow_unicode=True))
    return json.dumps(data)


def _parse_yaml(text: str) -> Any:
    """Read YAML within bounds: a document comes from wherever the user has it from."""
    _yaml()
    return parse(text)


def _yaml() -> Any:
    if yaml is None:
        raise PatchtideError("YAML documents require the Python library PyYAML on the host that runs the module")
    return yaml


def _errors() -> type[Exception]:
    return ValueError if yaml is None else yaml.YAMLError
