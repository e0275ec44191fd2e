# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who is responsible for what (RACI): checked if an identity is known, and shown as a table."""

from __future__ import annotations

from collections.abc import Iterable

from ..errors import PatchtideError
from .bundle import Bundle
from .operator import Operator


class NotResponsible(PatchtideError):
    """The bundle assigns an activity to others."""

    code = "NotResponsible"


def check_operator(bundle: Bundle, activity: str, operator: Operator) -> str:
    """Check an activity of whoever runs a step.

    :returns: the result as a sentence.
    :raises NotResponsible: they are known, and none of their roles is responsible or accountable for it.
    """
    people = bundle.people_of(operator)
    if not any(row.activity == activity for row in bundle.responsibilities):
        return f"The bundle names no responsibility for {activity}."
    if not people:
        return f"Nobody knows who {operator.name} is, so the responsibility for {activity} is not checked."
    for principal in sorted(people):
        check_roles(bundle, activity, principal, bundle.people[principal].roles)
    return f"{', '.join(sorted(people))} may do it ({activity})."


def check_roles(bundle: Bundle, activity: str, principal: str, roles: Iterable[str]) -> None:
    """:raises NotResponsible: none of these roles is responsible or accountable for the activity."""
    row = next((item for item in bundle.responsibilities if item.activity == activity), None)
    if row and not set(roles) & set(row.doers):
        raise NotResponsible(
            f"{principal} has none of the roles that may {row.title.lower()}: {', '.join(row.doers) or 'nobody has'}."
        )


def responsibility_rows(bundle: Bundle) -> list[dict[str, str]]:
    """Return the matrix as rows of text, for tables."""
    return [
        {
            "activity": row.title,
            "responsible": ", ".join(row.responsible),
            "accountable": ", ".join(row.accountable),
            "consulted": ", ".join(row.consulted),
            "informed": ", ".join(row.informed),
        }
        for row in bundle.responsibilities
    ]
