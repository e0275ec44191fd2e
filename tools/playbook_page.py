"""Writes docs/playbooks.md from the variables of the playbooks; ``page()`` is what a check compares it with."""

from __future__ import annotations

from ansible_collections.patchtide.hybrid.plugins.module_utils._core.nodes import PREFIX
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.playbook_variables import PLAYBOOKS, VARIABLES, Playbook
from running import ROOT

PAGE = ROOT / "docs" / "playbooks.md"
_HEAD = """\
# Playbooks and their variables

Set variables with `-e`, in a file (`-e @tenant.yml`), in the inventory, or in the survey of an AWX job template. The
first play of every playbook checks them before anything is opened, sent or recorded. It refuses an extra variable
that no playbook has, a missing one, and an invalid value. A blank variable counts as unset, so questions of a survey
may stay unanswered. Variables of other playbooks are ignored, so one file can serve all playbooks. Names that begin
with `patchtide_` are reserved for the collection.

With `--check`, every playbook shows what it would do. `--limit`, `--tags` and `--skip-tags` are refused.

This page is made from `plugins/plugin_utils/playbook_variables.py` by `tools/playbook_page.py`.
"""


def page() -> str:
    """Return the page."""
    return "\n".join([_HEAD, *(_section(name, row) for name, row in PLAYBOOKS.items())])


def _section(name: str, row: Playbook) -> str:
    required = {item for need in row.needs for item in need.split("|")}
    lines = [_line(item, item in required, row) for item in row.names]
    refused = ", ".join(f"`{PREFIX}{item}`" for item in row.refuses)
    note = f"\nRefused as extra variables, because they would count for all rollouts: {refused}.\n" if refused else ""
    return "\n".join(
        [f"## {name}\n", f"{row.what}\n", "| variable | value | default | meaning |", "|---|---|---|---|", *lines, note]
    )


def _line(name: str, required: bool, row: Playbook) -> str:
    known = VARIABLES[name]
    choices = ", ".join(f"`{item}`" for item in known.choices)
    others = [item for need in row.needs if "|" in need and name in need.split("|") for item in need.split("|")]
    needed = f"required, or `{PREFIX}{next(item for item in others if item != name)}`" if others else "required"
    value = row.takes.get(name)
    default = "none" if value in (None, []) else f"`{str(value).lower() if isinstance(value, bool) else value}`"
    return f"| `{PREFIX}{name}` | {choices or known.kind} | {needed if required else default} | {known.what} |"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
