# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes the report of a run; see the module of the same name for the documentation."""

from __future__ import annotations

import hashlib
import json
from collections import deque
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, ClassVar

from ..module_utils._core.errors import BadInput, PatchtideError
from ..module_utils._core.plan.plan import check_plan, check_plan_shape
from ..module_utils._core.plan.scan import check_scan, check_scan_shape, unpack_scan
from ..module_utils._core.read import read
from ..module_utils._core.report.csv import to_csv
from ..module_utils._core.report.finding_words import to_vulnerabilities
from ..module_utils._core.report.junit import to_junit
from ..module_utils._core.report.model import Report, build_report, to_json
from ..module_utils._core.report.patch_view import patches_to_csv, patches_to_data
from ..module_utils._core.report.text import summary_to_text
from ..module_utils._core.tags import TagKeys
from ..module_utils._core.vulnerability.compare import Comparison
from ..plugin_utils.controller_action import ControllerAction
from ..plugin_utils.files import read_json, write_text
from ..plugin_utils.report.html import render_plan_html, render_report_html
from ..plugin_utils.rollout.journal_lines import read_journal
from ..plugin_utils.vulnerability.findings_file import BEFORE as FINDINGS_BEFORE
from ..plugin_utils.vulnerability.findings_file import NAME as FINDINGS
from ..plugin_utils.vulnerability.findings_file import stored_findings

_INPUTS = ("plan.json", "journal.jsonl", "scan.json")
_Check = Callable[[Any, str], None]
#: By file: whether it can be worked with, whether it is what was written, and what is said where it is not.
_CHECKS: Mapping[str, tuple[_Check, _Check, str]] = {
    "plan.json": (
        check_plan_shape,
        check_plan,
        "plan.json was changed after its digest was made: it is not what was approved.",
    ),
    "scan.json": (check_scan_shape, check_scan, "scan.json was changed after it was made: it is not what was found."),
}
_NAMES = {"json": "summary.json", "csv": "nodes.csv", "junit": "junit.xml", "html": "index.html"}


class ActionModule(ControllerAction):
    """Reads a run's directory on the controller, folds it into one report and writes it."""

    SPEC: ClassVar[dict[str, Any]] = {
        "dir": {"type": "path", "required": True},
        "dest": {"type": "path"},
        "formats": {"type": "list", "elements": "str", "choices": [*_NAMES], "default": ["json", "csv", "html"]},
        "tags": {"type": "dict"},
        "patch_baselines": {"type": "list", "elements": "dict", "default": []},
    }

    def act(self, options: Mapping[str, Any], task_vars: Mapping[str, Any]) -> dict[str, Any]:
        folder = Path(options["dir"])
        dest = Path(options["dest"] or folder / "report")
        plan, scan, remarks = self._read(folder)
        report = build_report(
            plan,
            read_journal(folder),
            scan,
            tags=read(TagKeys, options["tags"] or {}),
            remarks=remarks,
            baselines=options["patch_baselines"],
            vulnerabilities=_vulnerabilities(folder, scan),
        )
        texts = render(report, plan, options["formats"])
        before = {name: _existing(dest / name) for name in texts}
        changed = [name for name, text in texts.items() if before[name] != text]
        if not self.check_mode:
            for name in changed:
                write_text(dest / name, texts[name])
        files = {form: str(dest / name) for form, name in _NAMES.items() if name in texts}
        self._show(report, files.get("html"))
        result = {"changed": bool(changed), "dest": str(dest), "files": files, "summary": dict(report.summary)}
        if self.diff_mode and changed:
            result["diff"] = [_diff(dest / name, before[name], texts[name]) for name in changed]
        return result

    def _read(self, folder: Path) -> tuple[dict[str, Any] | None, dict[str, Any] | None, list[str]]:
        if not self.check_mode and not any((folder / name).exists() for name in _INPUTS):
            raise BadInput("dir", str(folder), f"a directory with {', '.join(_INPUTS[:-1])} or {_INPUTS[-1]}")
        plan, scan = (_read_part(folder, name) for name in _CHECKS)
        remarks = []
        for name, data in (("plan.json", plan), ("scan.json", scan)):
            whole, remark = _CHECKS[name][1:]
            try:
                if data is not None:
                    whole(data, name)
            except BadInput:
                remarks.append(remark)
        if scan is not None:
            unpack_scan(scan, "scan.json")
        return plan, scan, remarks

    def _show(self, report: Report, page: str | None) -> None:
        for line in summary_to_text(report.summary).splitlines():
            self.say(line)
        if page and not self.check_mode:
            self.say("")
            self.say(f"Report  {page}")


def _vulnerabilities(folder: Path, scan: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Return the section about findings, ``None`` without an import. :raises BadInput: an import was cut or edited."""
    if not (folder / FINDINGS).exists():
        return None
    end: dict[str, Any] = {}
    deque(stored_findings(folder / FINDINGS, "dir", end), maxlen=0)
    before = folder / FINDINGS_BEFORE
    if not before.exists():
        return to_vulnerabilities(end, scan)
    found = Comparison(
        lambda: stored_findings(before, "dir", {}), lambda: stored_findings(folder / FINDINGS, "dir", {})
    )
    return to_vulnerabilities(end, scan, list(found.lines()))


def _read_part(folder: Path, name: str) -> dict[str, Any] | None:
    """Return a file of the run, ``None`` if there is none.

    :raises OtherSchema: another version wrote it.
    :raises BadInput: it is not what its name says.
    """
    if not (folder / name).exists():
        return None
    data: dict[str, Any] = read_json(folder / name, "dir")
    _CHECKS[name][0](data, str(folder / name))
    return data


def render(report: Report, plan: Mapping[str, Any] | None, formats: list[str]) -> dict[str, str]:
    """Return the files of the report by name. With a plan, its page goes beside the report's."""
    texts: dict[str, str] = {}
    if "json" in formats:
        texts[_NAMES["json"]] = to_json(report.summary)
        texts["patches.json"] = to_json(patches_to_data(report.view))
    if "csv" in formats:
        texts[_NAMES["csv"]] = "".join(to_csv(report.rows))
        texts["patches.csv"] = "".join(patches_to_csv(report.view))
    if "junit" in formats:
        texts[_NAMES["junit"]] = to_junit(report)
    if "html" in formats:
        texts[_NAMES["html"]] = render_report_html(report, has_plan=plan is not None, files=list(texts))
        if plan is not None:
            texts["plan.html"] = render_plan_html(plan, report.summary["approvals"])
    return texts


def _existing(path: Path) -> str | None:
    try:
        return path.read_bytes().decode("utf-8", "surrogatepass")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeError) as error:
        raise BadInput("dest", str(path), f"a file that can be read and replaced ({error})") from error


def _diff(path: Path, before: str | None, after: str) -> dict[str, str]:
    """Return a short diff: the summary as text, of other files only that they differ."""
    return {
        "before_header": str(path),
        "after_header": str(path),
        "before": _brief(path, before),
        "after": _brief(path, after),
    }


def _brief(path: Path, text: str | None) -> str:
    if text is None:
        return ""
    if path.name == _NAMES["json"]:
        try:
            return summary_to_text(json.loads(text)) + "\n"
        except (PatchtideError, KeyError, TypeError, ValueError):
            return "not a summary of ours\n"
    return (
        f"{len(text):,} characters, sha256 {hashlib.sha256(text.encode('utf-8', 'surrogatepass')).hexdigest()[:16]}\n"
    )
