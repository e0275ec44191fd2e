# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The content of ``scan.json``: sealed when it is written, checked where it is read.

In the file, each patch is there once, in ``patches``; nodes name it by its number there. All nodes together lack a few
hundred different patches, and each of them dozens.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..canonical import to_canonical, to_digest, without
from ..errors import BadInput
from ..schema import check_schema
from ..shape import FLAG, NAME, NUMBER, TEXT, TIME, Each, Listed, Object, OrNull, Values, check_shape

SCHEMA = "patchtide/scan/2"
#: Members of a record that list patches, and those that list the IDs of patches.
_PATCHES, _IDS = ("missing", "rejected"), ("missing_after", "pending", "failed")
_ERROR = OrNull(Object({}, {"code": TEXT, "text": TEXT}))
PATCH = Object(
    {"id": NAME},
    {
        **dict.fromkeys(("title", "classification", "severity", "state"), TEXT),
        "cve_ids": Each(TEXT),
        "download_bytes": NUMBER,
    },
)
COUNTS = OrNull(Values(NUMBER))
_HELD = Object({"id": NAME}, {"title": TEXT, "classification": TEXT, "why": TEXT, "text": TEXT})
FORECAST = Object(
    {}, {**dict.fromkeys(("removes", "downgrades", "adds", "kept_back"), Each(TEXT)), "download_bytes": NUMBER}
)
#: A maintenance configuration of Azure (``work/azure/maintenance.py``).
_SCHEDULE = ("start", "duration", "timezone", "recur_every", "expires")
_NOTE = Object({"code": TEXT, "text": TEXT})
_RECORD = Object(
    {"status": NAME},
    {
        "node_id": NAME,
        "counts": COUNTS,
        **dict.fromkeys(_PATCHES, OrNull(Listed(PATCH))),
        **dict.fromkeys(_IDS, OrNull(Listed(TEXT))),
        "held": OrNull(Each(_HELD)),
        "notes": OrNull(Each(_NOTE)),
        "forecast": OrNull(FORECAST),
        "pending_reboot": OrNull(FLAG),
        "assessed_at": TIME,
        "maintenance": OrNull(Each(Object({"name": NAME}, dict.fromkeys(_SCHEDULE, TEXT)))),
        "evidence": OrNull(Object({}, {"baseline_id": OrNull(TEXT)})),
        "error": _ERROR,
    },
)
FAILED_PLACE = Object(
    {"place": TEXT, "error": Object({"code": TEXT, "message": TEXT})}, {"account": OrNull(TEXT), "region": TEXT}
)
_SCAN = Object(
    {
        "at": TIME,
        "nodes": Values(_RECORD),
        "failed_places": Each(FAILED_PLACE),
    },
    {"patches": Each(PATCH)},
)
#: Each node is one piece of the digest: there are a hundred thousand of them.
_LEVELS = 2


def pack_scan(scan: Mapping[str, Any]) -> dict[str, Any]:
    """Return a scan as its file has it."""
    table = _Table()
    nodes = {node_id: table.pack(record) for node_id, record in sorted(scan["nodes"].items())}
    return {**scan, "nodes": nodes, "patches": table.patches}


class _Table:
    """The different patches of a scan, by their numbers."""

    def __init__(self) -> None:
        self.patches: list[Mapping[str, Any]] = []
        self._numbers: dict[tuple[Any, ...], int] = {}
        self._ids: dict[str, int] = {}

    def pack(self, record: Mapping[str, Any]) -> dict[str, Any]:
        found = {name: list(map(self._number, record[name])) for name in _PATCHES if record.get(name)}
        found |= {name: [self._ids.get(item, item) for item in record[name]] for name in _IDS if record.get(name)}
        return {**record, **found}

    def _number(self, patch: Mapping[str, Any]) -> int:
        values = (tuple(value) if isinstance(value, list) else value for value in patch.values())
        key: tuple[Any, ...] = (*patch, *values)
        try:
            number = self._numbers.setdefault(key, len(self.patches))
        except TypeError:  # it contains other objects
            number = self._numbers.setdefault((to_canonical(patch),), len(self.patches))
        if number == len(self.patches):
            self.patches.append(patch)
            self._ids.setdefault(patch["id"], number)
        return number


def unpack_scan(scan: dict[str, Any], where: str) -> dict[str, Any]:
    """Put the patches of a scan in place of their numbers, in the same object. Equal patches, and equal lists of them,
    are one object, so don't modify them.

    :param scan: of the shape of a scan, see ``check_scan_shape``. :param where: the file.
    :raises BadInput: a number that no patch has.
    """
    patches: Sequence[Mapping[str, Any]] = scan.pop("patches", ())
    ids = [patch["id"] for patch in patches]
    places = ((_PATCHES, _Lists(patches)), (_IDS, _Lists(ids)))
    for node_id, record in scan["nodes"].items():
        for names, lists in places:
            for name in names:
                if items := record.get(name):
                    record[name] = lists.take(items, f"{where}.nodes.{node_id}.{name}")
    return scan


class _Lists:
    """Lists of what numbers stand for. :param values: by their numbers."""

    def __init__(self, values: Sequence[Any]) -> None:
        self._values = values
        self._known: dict[tuple[Any, ...], list[Any]] = {}

    def take(self, items: list[Any], where: str) -> list[Any]:
        if not any(item.__class__ is int for item in items):
            return items
        key = tuple(items)
        found = self._known.get(key)
        if found is None:
            try:
                found = [self._values[item] if item.__class__ is int else item for item in items]
            except IndexError:
                raise BadInput(where, items, f"numbers of the {len(self._values):,} patches") from None
            self._known[key] = found
        return found


def seal_scan(scan: Mapping[str, Any]) -> dict[str, Any]:
    """Return the scan with the digest of what is in its file. :param scan: packed, if its file is."""
    return {**scan, "digest": to_digest(without(scan, "digest"), _LEVELS)}


def check_scan(scan: Any, where: str) -> None:
    """Check that a scan is complete and unchanged.

    :param scan: as it is in the file. :param where: the file. :raises OtherSchema: another version wrote it.
    :raises BadInput: it is not a scan, or was edited after it was made.
    """
    check_scan_shape(scan, where)
    if seal_scan(scan)["digest"] != scan.get("digest"):
        expected = "the digest of its content; the scan was changed after it was made; run scan_compliance again"
        raise BadInput(where, scan.get("digest"), expected)


def check_scan_shape(scan: Any, where: str) -> None:
    """Check that a scan is usable, even if it was changed.

    :param scan: as it is in the file. :param where: the file.
    :raises OtherSchema: another version wrote it. :raises BadInput: it is not a scan.
    """
    found = scan.get("schema") if isinstance(scan, dict) else type(scan).__name__
    check_schema("scan", found, SCHEMA, f"{where}: schema")
    check_shape(scan, _SCAN, where)
