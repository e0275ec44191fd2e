"""Writes examples/iam and examples/azure, the tables of docs/permissions.md and docs/azure.md, the role of
templates/spoke.template and the controller's policy of templates/hub.template.

``files()`` is what a check compares them with.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from ansible_collections.patchtide.hybrid.plugins.module_utils._aws.permissions import (
    CONTROLLER,
    ENROLLMENT,
    POLICIES,
    READ,
    ROLLOUT,
    Purpose,
    to_policy,
)
from ansible_collections.patchtide.hybrid.plugins.module_utils._azure import permissions as azure
from role_template import HUB, SPOKE, hub, spoke
from running import ROOT

PAGE = ROOT / "docs" / "permissions.md"
AZURE_PAGE = ROOT / "docs" / "azure.md"
_TABLE = re.compile(r"(?<=\| statement \| needed if \|\n\|---\|---\|\n)(\|[^\n]*\n)+")

_AZURE_TABLE = re.compile(r"(?<=\| for \| permission \|\n\|---\|---\|\n)(\|[^\n]*\n)+")


def files() -> Iterator[tuple[Path, str]]:
    """Yield each file with its text."""
    for name, purposes in POLICIES.items():
        yield ROOT / "examples" / "iam" / f"{name}.json", json.dumps(to_policy(purposes), indent=2) + "\n"
    tables = iter((ROLLOUT, ENROLLMENT, CONTROLLER))
    yield PAGE, _TABLE.sub(lambda _match: _rows(next(tables)), PAGE.read_text("utf-8"))
    yield SPOKE, spoke((*READ, *ROLLOUT, *ENROLLMENT))
    yield HUB, hub(CONTROLLER)
    yield ROOT / "examples" / "azure" / "rollout.json", json.dumps(azure.to_role(azure.ROLLOUT), indent=2) + "\n"
    yield AZURE_PAGE, _AZURE_TABLE.sub(_azure_rows(), AZURE_PAGE.read_text("utf-8"))


def _rows(purposes: Iterable[Purpose]) -> str:
    return "".join(f"| `{purpose.sid}` | {purpose.needed} |\n" for purpose in purposes)


def _azure_rows() -> str:
    rows = [("inventory, reports", "the role Reader")]
    rows += [(row.needed, ", ".join(f"`{name}`" for name in row.actions)) for row in (*azure.ROLLOUT, *azure.MODULES)]
    return "".join(f"| {needed} | {names} |\n" for needed, names in rows)


if __name__ == "__main__":
    for path, text in files():
        path.write_text(text, "utf-8")
