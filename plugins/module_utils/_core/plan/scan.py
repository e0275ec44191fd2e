# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The content of ``scan.json``: sealed when it is written, checked where it is read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..canonical import to_digest, without
from ..errors import BadInput
from ..schema import check_schema
from ..shape import FLAG, NAME, NUMBER, TEXT, TIME, Each, Object, OrNull, Values, check_shape

SCHEMA = "patchtide/scan/2"
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
        "missing": OrNull(Each(PATCH)),
        "missing_after": OrNull(Each(TEXT)),
        "pending": OrNull(Each(TEXT)),
        "failed": OrNull(Each(TEXT)),
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
    }
)


def seal_scan(scan: Mapping[str, Any]) -> dict[str, Any]:
    """Return the scan with its digest."""
    return {**scan, "digest": to_digest(without(scan, "digest"))}


def check_scan(scan: Any, where: str) -> None:
    """Check that a scan read from a file is complete and unchanged.

    :param where: the file. :raises OtherSchema: another version wrote it.
    :raises BadInput: it is not a scan, or was edited after it was made.
    """
    check_scan_shape(scan, where)
    if seal_scan(scan)["digest"] != scan.get("digest"):
        raise BadInput(where, scan.get("digest"), "the digest of its content; the scan was changed after it was made")


def check_scan_shape(scan: Any, where: str) -> None:
    """Check that a scan read from a file is usable, even if it was changed.

    :raises OtherSchema: another version wrote it. :raises BadInput: it is not a scan.
    """
    found = scan.get("schema") if isinstance(scan, dict) else type(scan).__name__
    check_schema("scan", found, SCHEMA, f"{where}: schema")
    check_shape(scan, _SCAN, where)
