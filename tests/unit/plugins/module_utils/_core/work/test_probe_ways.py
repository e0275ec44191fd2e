# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The probe tries endpoints from the host: any answer of HTTP counts, and what no tool can say stays open."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import tree_sitter
import tree_sitter_powershell
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.errors import BadInput
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.work.host_probe import to_probe
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.work.precheck import ways_of
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.work.probe_ways import way_part

from .probe_host import ProbeHost

SSM, PAGE, SHUT = "https://ssm.eu-central-1.amazonaws.com", "https://satellite.example.com/pub", "https://10.0.0.1:8443"


@pytest.fixture
def host(tmp_path: Path) -> ProbeHost:
    return ProbeHost(tmp_path)


def said(host: ProbeHost, *urls: str) -> list[dict[str, Any]]:
    done = host.run(to_probe("linux", endpoints=urls))
    assert (done.returncode, done.stderr) == (0, "")
    return ways_of(done.stdout)


def test_an_answer_counts_whatever_it_says_and_a_failure_has_its_reason(host: ProbeHost) -> None:
    host.command(
        "curl",
        f"for url; do :; done\ncase $url in {SSM}) printf 404;; {PAGE}) printf 200;; "
        "*) echo 'curl: (60) SSL certificate problem' >&2; printf 000; exit 60;; esac",
    )
    assert said(host, SSM, PAGE, SHUT) == [
        {"url": SSM, "ok": True, "text": ""},
        {"url": PAGE, "ok": True, "text": ""},
        {"url": SHUT, "ok": False, "text": "SSL certificate problem"},
    ]


def test_a_host_that_can_fetch_nothing_says_that_it_does_not_know(host: ProbeHost) -> None:
    (way,) = said(host, SSM)
    assert way["ok"] is None and way["text"]


def test_without_endpoints_nothing_is_tried(host: ProbeHost) -> None:
    assert "ways" not in json.loads(host.run(to_probe("linux")).stdout)
    assert ways_of('{"probe": 1, "ways": [{"url": "a", "ok": "yes"}, 7]}') == [{"url": "a", "ok": None, "text": ""}]
    assert ways_of("no document") == []


@pytest.mark.parametrize("url", ["http://a.example", "https://a b", "https://a'; reboot", "https://$(x)", "ftp://a"])
def test_what_is_no_plain_address_gets_into_no_script(url: str) -> None:
    with pytest.raises(BadInput, match="endpoints"):
        way_part("linux", [url])


def test_too_many_do_not_fit_the_document() -> None:
    assert way_part("linux", [SSM] * 8)
    with pytest.raises(BadInput, match="at most 8"):
        way_part("linux", [SSM] * 9)


def test_the_scripts_are_what_their_languages_want(tmp_path: Path) -> None:
    parser = tree_sitter.Parser(tree_sitter.Language(tree_sitter_powershell.language()))
    script = to_probe("windows", endpoints=[SSM, PAGE])
    assert parser.parse(script.encode()).root_node.has_error is False and f"in '{SSM}', '{PAGE}') {{" in script
    if shutil.which("shellcheck"):
        file = tmp_path / "probe.sh"
        file.write_text(to_probe("linux", endpoints=[SSM, PAGE]))
        found = subprocess.run(["shellcheck", "-s", "sh", str(file)], capture_output=True, text=True, check=False)
        assert found.stdout == ""
