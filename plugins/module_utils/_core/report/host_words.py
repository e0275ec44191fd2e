# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a host said about itself before and after its work, in words: kernels, services, ports, mounts, held updates."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

_KINDS: Mapping[str, str] = {
    "system": "System",
    "kernel": "Running kernel",
    "kernel_installed": "Newest installed kernel",
    "failed_units": "Failed services",
    "ports": "Listening ports",
    "mounts": "Mounts",
}
_KERNELS: Mapping[str, str] = {"installed": "newest installed", "available": "newest available"}
#: Evidence of a stage that is shown in words; the rest are IDs.
TOLD = frozenset({"differences", "kernels", "held", "notes", "failed", "removed", "unplanned", "not_begun"})


def host_lists(evidence: Mapping[str, Any]) -> list[tuple[str, list[str]]]:
    """Return (heading, lines) of what a host said, without empty lists.

    :param evidence: a node's evidence by stage. Values of several attempts are a list.
    """
    patch, scan = (_stage(evidence, name) for name in ("patch", "scan"))
    changed = [line for item in _mappings(patch.get("differences")) for line in _changes(item)]
    kernels = [
        f"{_KERNELS[name]}: {version}"
        for item in _mappings(scan.get("kernels"))
        for name, version in item.items()
        if name in _KERNELS
    ]
    held = [f"{key}: {text}" for item in _mappings(patch.get("held")) for key, text in item.items()]
    held += [f"{item.get('id')}: {item.get('text')}" for item in _mappings(scan.get("held"))]
    notes = [*_texts(patch.get("notes")), *(str(item.get("text")) for item in _mappings(scan.get("notes")))]
    why = [f"{key}: {text}" for item in _mappings(patch.get("failed")) for key, text in item.items()]
    found = (
        ("Changed on the host", changed),
        ("Kernels", kernels),
        ("Why updates failed", why),
        ("Held updates", list(dict.fromkeys(held))),
        ("Removed packages", _texts(patch.get("removed"))),
        ("Not begun in time", _texts(patch.get("not_begun"))),
        ("Notes of the host", list(dict.fromkeys(notes))),
    )
    return [(heading, lines) for heading, lines in found if lines]


def _changes(item: Mapping[str, Any]) -> Iterator[str]:
    for kind, label in _KINDS.items():
        found = item.get(kind)
        if not isinstance(found, Mapping):
            continue
        if "before" in found:
            yield f"{label}: {found['before'] or 'none'} \u2192 {found.get('after') or 'none'}"
        else:
            words = [f"+ {name}" for name in _texts(found.get("came"))]
            words += [f"\u2212 {name}" for name in _texts(found.get("gone"))]
            yield f"{label}: {', '.join(words)}"


def _stage(evidence: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = evidence.get(name)
    return found if isinstance(found, Mapping) else {}


def _mappings(value: Any) -> Sequence[Mapping[str, Any]]:
    return [item for item in (value if isinstance(value, list) else [value]) if isinstance(item, Mapping)]


def _texts(value: Any) -> list[str]:
    if value is None:
        return []
    return [str(item) for item in (value if isinstance(value, list) else [value]) if not isinstance(item, Mapping)]
