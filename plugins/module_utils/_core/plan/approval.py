# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Approval of a plan: bound to its digest, so that a new plan needs a new approval. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from ..errors import BadInput, PatchtideError

_MEMBERS = ("digest", "by", "at", "reason")


class NotApproved(PatchtideError):
    """The policy requires an approval of the plan, and there is none."""

    code = "NotApproved"


def read_approval(data: object, option: str) -> dict[str, str]:
    """Read an approval file's content: ``digest`` and ``by`` are required, ``at`` and ``reason`` are not.

    :raises BadInput: names the path of the mistake.
    """
    if not isinstance(data, Mapping):
        raise BadInput(option, data, f"a mapping with the keys {', '.join(_MEMBERS)}")
    for key in data:
        if key not in _MEMBERS:
            raise BadInput(f"{option}.{key}", data[key], f"one of the keys {', '.join(_MEMBERS)}")
    found = {key: _text(data.get(key)) for key in _MEMBERS}
    for key, what in (("digest", "the digest of the approved plan"), ("by", "the name of the approver")):
        if not found[key]:
            raise BadInput(f"{option}.{key}", data.get(key), what)
    return found


def _text(value: object) -> str:
    """YAML reads an unquoted time as a time, not as text."""
    return value.isoformat() if isinstance(value, (date, datetime)) else str(value if value is not None else "").strip()


def check_digest(given: str, digest: str, option: str) -> None:
    """:raises BadInput: it is not the complete digest of the plan, all 64 characters."""
    if given.lower() != digest:
        raise BadInput(option, given, f"the digest of this plan, {digest}")


def find_approval(
    plan: Mapping[str, Any], *, required: bool, digest: str | None, document: Mapping[str, str] | None, who: str
) -> dict[str, str] | None:
    """Return what was approved and by whom; ``None`` if no approval is required and none was given.

    :param digest: entered by the person who runs the rollout and vouches for it.
    :param document: an approval file as ``read_approval`` returns it.
    :raises BadInput: it is for another plan.
    :raises NotApproved: there is none, and the policy requires one.
    """
    if digest:
        check_digest(digest, plan["digest"], "approved_digest")
    if document:
        check_digest(document["digest"], plan["digest"], "approval_file.digest")
        return {**document, "digest": plan["digest"], "source": "approval_file"}
    if digest:
        return {"digest": plan["digest"], "by": who, "at": "", "reason": "", "source": "approved_digest"}
    if required:
        raise NotApproved(
            f"The policy requires an approval, and plan {plan['digest']} is not approved. "
            "Set patchtide_approved_digest to this digest, or patchtide_approval_file to a file with digest, by, at "
            "and reason."
        )
    return None
