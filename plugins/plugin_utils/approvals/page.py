# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Shows in plan.html who has approved the plan, what is missing, and who is responsible for what."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ...module_utils._core.trust.responsibilities import responsibility_rows
from ..files import write_text
from ..report.html import render_plan_html
from .plan_check import NOT_VERIFIED, PlanCheck


def approvals_shown(found: PlanCheck | None) -> dict[str, Any]:
    """Return what the page shows of approvals."""
    if found is None:
        return {"verified": False, "text": NOT_VERIFIED}
    shown = found.to_dict()
    matrix = responsibility_rows(found.trust.bundle)
    return {**shown, "reasons": list(found.judgement.reasons), "responsibilities": matrix}


def write_plan_page(folder: Path, plan: Mapping[str, Any], found: PlanCheck | None, *, write: bool) -> bool:
    """Write plan.html with the approvals as they are now; return whether it changes."""
    path = folder / "plan.html"
    page = render_plan_html(plan, trust=approvals_shown(found))
    if write:
        return write_text(path, page)
    return not path.exists() or path.read_text("utf-8") != page
