# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The schema that a file names, such as ``patchtide/plan/2``: what it is, and the number of its format."""

from __future__ import annotations

from .errors import BadInput, OtherSchema


def check_schema(what: str, found: object, reads: str, option: str = "") -> None:
    """Check that a file has the schema that this version reads.

    :param what: ``plan``, ``scan`` or ``journal``. :param option: where it stands, if not in ``what``.
    :raises OtherSchema: it is such a file, and another version wrote it.
    :raises BadInput: it is something else.
    """
    if found == reads:
        return
    family = reads.rpartition("/")[0]
    if isinstance(found, str) and found.rpartition("/")[0] == family:
        raise OtherSchema(what, found, reads)
    raise BadInput(option or what, found, f"a {what} of the schema {reads}")
