"""Writes examples/iam, the tables of docs/permissions.md and the role of templates/spoke.yml.

``files()`` is what a check compares them with.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from ansible_collections.patchtide.hybrid.plugins.module_utils._aws.permissions import (
    CONTROLLER,
    POLICIES,
    READ,
    ROLLOUT,
    Purpose,
    to_policy,
)
from role_template import PAGE as SPOKE
from role_template import spoke
from running import ROOT

PAGE = ROOT / "docs" / "permissions.md"
_TABLE = re.compile(r"(?<=\| statement \| needed if \|\n\|---\|---\|\n)(\|[^\n]*\n)+")


def files() -> Iterator[tuple[Path, str]]:
    """Yield each file with its text."""
    for name, purposes in POLICIES.items():
        yield ROOT / "examples" / "iam" / f"{name}.json", json.dumps(to_policy(purposes), indent=2) + "\n"
    tables = iter((ROLLOUT, CONTROLLER))
    yield PAGE, _TABLE.sub(lambda _match: _rows(next(tables)), PAGE.read_text("utf-8"))
    yield SPOKE, spoke((*READ, *ROLLOUT))


def _rows(purposes: Iterable[Purpose]) -> str:
    return "".join(f"| `{purpose.sid}` | {purpose.needed} |\n" for purpose in purposes)


if __name__ == "__main__":
    for path, text in files():
        path.write_text(text, "utf-8")
