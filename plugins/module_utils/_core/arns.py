# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Amazon Resource Names: whose they are, and what they name. Pure."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Arn:
    """The parts of ``arn:partition:service:region:account:resource``. Global services have no Region in theirs."""

    partition: str
    service: str
    region: str
    account: str
    resource: str

    @property
    def name(self) -> str:
        """What comes after the last slash or colon of the resource: the name of a role, table, function or node."""
        return self.resource.replace(":", "/").rpartition("/")[2]


def name_of(arn: str) -> str:
    """Return what an ARN names, whatever it is of; a text that is no ARN is a name itself."""
    found = parse_arn(arn)
    return found.name if found else arn


def parse_arn(text: str, service: str = "", kind: str = "") -> Arn | None:
    """Return the parts of an ARN; ``None`` if the text is none, or not one of that service and kind of resource.

    :param kind: what the resource begins with, such as ``role`` in ``role/ops/patchtide``.
    """
    parts = text.split(":", 5)
    if len(parts) != 6 or parts[0] != "arn" or not parts[1].startswith("aws") or not parts[5]:
        return None
    found = Arn(partition=parts[1], service=parts[2], region=parts[3], account=parts[4], resource=parts[5])
    fits = found.service == (service or found.service) and found.resource.startswith(f"{kind}/" if kind else "")
    return found if fits else None
