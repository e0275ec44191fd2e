# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pages and screenshots of the sample runs, to look at after a change of templates or style. Needs chromium.

    PYTHONPATH=build/tree:. python tests/report/screenshots.py [completed aborted hostile plan scan …]

writes into build/report-samples: every page at desktop and phone width, and dark.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from ansible_collections.patchtide.hybrid.plugins.module_utils._core.report.model import build_report
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.report.html import render_plan_html, render_report_html

from tests.report import samples

DEST = Path("build/report-samples")
VIEWS = (("desktop", 1440, 4200, False), ("phone", 390, 6000, False), ("dark", 1440, 4200, True))


def pages(names: list[str]) -> Iterator[tuple[str, str]]:
    for name in names or [*samples.RUNS, "plan", "steered", "scan", "empty"]:
        if name == "plan":
            yield name, render_plan_html(samples.completed().plan)
        elif name.startswith("plan-"):
            yield name, render_plan_html(samples.completed(int(name.partition("-")[2])).plan)
        elif name == "steered":
            yield name, render_plan_html(samples.steered_plan())
        elif name == "scan":
            yield name, render_report_html(build_report(scan=samples.completed().scan))
        elif name == "empty":
            yield name, render_report_html(build_report())
        else:
            run = samples.RUNS[name]()
            yield name, render_report_html(build_report(run.plan, run.records, run.scan), has_plan=True)


def shoot(page: Path, view: str, width: int, height: int, dark: bool) -> None:
    with tempfile.TemporaryDirectory() as profile:
        flags = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--hide-scrollbars"]
        flags += ["--blink-settings=preferredColorScheme=0"] if dark else []
        flags += [f"--user-data-dir={profile}", f"--window-size={width},{height}"]
        shot = page.with_name(f"{page.stem}-{view}.png")
        subprocess.run(
            ["chromium", *flags, f"--screenshot={shot}", page.resolve().as_uri()], check=True, capture_output=True
        )
        print(shot)


def main() -> None:
    DEST.mkdir(parents=True, exist_ok=True)
    for name, html in pages(sys.argv[1:]):
        page = DEST / f"{name}.html"
        page.write_text(html, "utf-8")
        for view in VIEWS:
            shoot(page, *view)


if __name__ == "__main__":
    main()
