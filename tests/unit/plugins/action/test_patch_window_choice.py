# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who asks for a window, by which form, and where the window of a host outside AWS is written."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible_collections.patchtide.hybrid.plugins.action.patch_window_choice import _request, requester
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.errors import BadInput
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.nodes import Candidate
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.owners.window_choices import NotOwner
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.inventory.window_tags import ChoiceLedger, WindowTags

HOST = Candidate(node_id="db-1", host="db-1", executor="linux")
EMPTY: dict[str, Any] = dict.fromkeys(("nodes", "window", "until", "reason", "form"))


def tags(folder: Path | None) -> WindowTags:
    no_aws: Any = None
    return WindowTags("MaintenanceWindow", no_aws, [], folder)


@pytest.mark.parametrize("kind", ["scheduled", "webhook", "workflow", None])
def test_a_job_that_nobody_launched_chooses_nothing(kind: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWX_PRIVATE_DATA_DIR", "/tmp/awx_7")
    with pytest.raises(NotOwner, match="has no person"):
        requester({"awx_job_id": 7, "awx_job_launch_type": kind, "awx_user_name": "planted"})
    assert requester({"awx_job_id": 7, "awx_job_launch_type": "manual", "awx_user_name": "dana"}) == "dana"


def test_a_form_stands_for_the_options(tmp_path: Path) -> None:
    form = tmp_path / "form.yml"
    form.write_text("nodes: [web-1]\nwindow: sun\nreason: Release\nuntil: 2026-12-31\n", "utf-8")
    found = _request({**EMPTY, "form": str(form)}, "dana")
    assert (found.nodes, found.window, found.until) == (("web-1",), "sun", "2026-12-31")
    with pytest.raises(BadInput, match="no form together with window"):
        _request({**EMPTY, "form": str(form), "window": "sat"}, "dana")
    form.write_text("by: somebody\n", "utf-8")
    with pytest.raises(BadInput, match="the keys nodes, window"):
        _request({**EMPTY, "form": str(form)}, "dana")


def test_a_host_outside_aws_has_its_window_in_a_file_of_its_own(tmp_path: Path) -> None:
    port = tags(tmp_path)
    port.check([HOST])
    assert port.write([HOST], {"db-1": "sun"}) == {}
    path = tmp_path / "host_vars" / "db-1" / "patchtide_window.yml"
    assert path.read_text("utf-8").endswith('patchtide_maintenance_window: "sun"\n')
    assert port.write([HOST], {"db-1": ""}) == {} and not path.exists()


@pytest.mark.parametrize("name", ["db-1.yml", "db-1.yaml", "db-1.json", "db-1"])
def test_a_file_that_a_directory_would_hide_is_named_first(tmp_path: Path, name: str) -> None:
    """Ansible reads ``host_vars/<host>/`` and then none of the files beside it (vars plugin host_group_vars)."""
    (tmp_path / "host_vars").mkdir()
    (tmp_path / "host_vars" / name).write_text("a: b\n", "utf-8")
    with pytest.raises(BadInput, match="so that both count"):
        tags(tmp_path).check([HOST])
    with pytest.raises(BadInput, match="the directory of the inventory"):
        tags(None).check([HOST])
    with pytest.raises(BadInput, match="can be that of a directory"):
        tags(tmp_path).check([Candidate(node_id="x", host="../x")])


def test_a_ledger_that_is_something_else_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "choices.json"
    assert ChoiceLedger(path).read() == []
    path.write_text('{"schema": "other"}', "utf-8")
    with pytest.raises(BadInput, match="window-choices"):
        ChoiceLedger(path).read()
