# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who asks for a window, by which form, and where the window of a host outside AWS is written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from ansible_collections.patchtide.hybrid.plugins.action.patch_window_choice import _request
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.errors import BadInput, ServiceError
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.model import Place
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.nodes import Candidate
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.owners.window_choices import NotOwner
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.inventory.window_tags import ChoiceLedger, WindowTags
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.owner import requester
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.prepare.places import Clouds

HOST = Candidate(node_id="db-1", host="db-1", executor="linux")
EMPTY: dict[str, Any] = dict.fromkeys(("nodes", "window", "until", "reason", "form"))


def tags(folder: Path | None) -> WindowTags:
    no_cloud: Any = None
    return WindowTags("MaintenanceWindow", no_cloud, [], folder)


@dataclass
class Tagged:
    """The tags of one place; those of ``locked`` cannot be written. It is the clouds and their ports in one."""

    windows: dict[str, str] = field(default_factory=dict)
    locked: str = ""
    opened: list[tuple[str, bool]] = field(default_factory=list)

    def ports(self, place: Place, *, azure: bool) -> Any:
        self.opened.append((place.label, azure))
        if place.region == "down":
            raise ServiceError("connect", "NoAnswer", "the service does not answer")
        return SimpleNamespace(tags=self)

    def tags(self, ids: Sequence[str], key: str) -> dict[str, str]:
        return {item: self.windows[item] for item in ids if item in self.windows}

    def put(self, ids: Sequence[str], key: str, value: str) -> dict[str, str]:
        self.windows.update({item: value for item in ids if item != self.locked})
        return {item: "ScopeLocked: it has a lock" for item in ids if item == self.locked}

    def drop(self, ids: Sequence[str], key: str) -> dict[str, str]:
        return {item: "ScopeLocked: it has a lock" for item in ids if not self.windows.pop(item, "")}


VM = Candidate(node_id="/subscriptions/s/vm", host="vm", account="s", region="westeurope", maintenance_window="old")
ARC = Candidate(node_id="/subscriptions/s/arc", host="arc", account="s", region="westeurope")
WEB = Candidate(node_id="i-1", host="web", account="1", region="eu-west-1", maintenance_window="old")
DOWN = Candidate(node_id="i-2", host="down", account="1", region="down")


def test_the_tag_counts_that_a_node_has_now_and_not_that_of_the_inventory() -> None:
    clouds = Tagged({VM.node_id: "sat"})
    port = WindowTags("MaintenanceWindow", cast("Clouds", clouds), [], None)
    seen, unread = port.as_now([VM, HOST, DOWN, WEB])
    assert [(node.host, node.maintenance_window) for node in seen] == [("vm", "sat"), ("db-1", ""), ("web", "")]
    assert seen[2].tags == {"MaintenanceWindow": ""} and seen[1] is HOST
    assert unread == {"i-2": "Could not connect: NoAnswer: the service does not answer"}
    assert sorted(clouds.opened) == [("1/down", False), ("1/eu-west-1", False), ("s/westeurope", True)]


def test_a_machine_that_cannot_be_tagged_is_named_and_all_others_are_tagged(tmp_path: Path) -> None:
    clouds = Tagged({WEB.node_id: "sat"}, locked=ARC.node_id)
    port = WindowTags("MaintenanceWindow", cast("Clouds", clouds), [], tmp_path)
    port.check([VM, ARC, WEB, DOWN])
    wanted = {VM.node_id: "sun", ARC.node_id: "sun", WEB.node_id: "", DOWN.node_id: "sun"}
    assert port.write([VM, ARC, WEB, DOWN, HOST], wanted) == {
        ARC.node_id: "ScopeLocked: it has a lock",
        "i-2": "Could not connect: NoAnswer: the service does not answer",
    }
    assert clouds.windows == {VM.node_id: "sun"} and not list(tmp_path.iterdir())
    assert port.write([VM, ARC], {VM.node_id: "sat", ARC.node_id: "sun"}).keys() == {ARC.node_id}
    assert clouds.windows == {VM.node_id: "sat"}


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
