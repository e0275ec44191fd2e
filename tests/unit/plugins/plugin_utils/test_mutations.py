# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Mutated files and answers: an error of ours that says what is wrong, or a normal result; never anything else.

Sizes are bounded by what the mutations put in, so that nothing here measures time.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.errors import PatchtideError
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.model import Place
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.plan.plan import seal
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.plan.scan import seal_scan
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.report.model import build_report, to_json
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.rollout.journal import Record, next_record
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.rollout.journal_check import (
    examine,
    follow,
    replay,
)
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.rollout.state import initial
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.stamp import from_time
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.work.detached import Look, parse_look
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.work.final_record import final_record
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.work.node_answer import bounded
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.work.packages.listing import PackageRules
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.work.packages.results import (
    install_result,
    scan_result,
)
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.work.packages.updates import read_list
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.work.precheck import (
    PrecheckRules,
    evaluate_probe,
    parse_probe,
)
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.work.ssm.ports import Invocation, PatchState
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.work.ssm.stagerun import Ended
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.work.ssm.stages import (
    InstallStage,
    PrecheckStage,
    RebootStage,
    ScanStage,
)
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.files import read_document
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.policy.file import load_policy
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.rollout.folder import read_plan
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.rollout.journal_file import JournalFile
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.rollout.stores import read_stores
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.scan_file import read_scan

from tests.fakes.mutations import mutate_data, mutate_text, seeds
from tests.fakes.package_answers import LISTS, PROOFS, document
from tests.report import samples

RUN = samples.completed()
POLICY = (Path(__file__).parents[4] / "examples" / "policy.yml").read_text("utf-8")
NODE = RUN.plan["waves"][0]["nodes"][0]
NOW = datetime(2026, 12, 1, tzinfo=timezone.utc)
NO_STATE = PatchState(node_id="", operation="", operation_ended_at=None, counts={})
PROBE = {
    "probe": 1, "platform": "linux", "kernel": "6.1", "boot_id": "b-1", "uptime_s": 100, "pending_reboot": False,
    "disks": [{"mount": "/", "free_mb": 5000}], "repos": [{"url": "https://m.test", "ok": True, "text": ""}],
    "failed_units": [], "load1": 0.5, "cpus": 2, "agent": "active", "time_synced": True, "services": 12,
    "services_down": ["sshd"], "services_down_total": 1,
}  # fmt: skip


@contextmanager
def ours(seed: int) -> Iterator[None]:
    """Let errors of ours pass if they can be shown; everything else fails, with the seed that brings it again."""
    try:
        yield
    except PatchtideError as error:
        said = str(error)
        assert said and len(said) < 20_000 and all(char.isprintable() or char == "\n" for char in said), seed
    except Exception as error:
        pytest.fail(f"seed {seed}: {type(error).__name__}: {str(error)[:300]}")


def written(path: Path, data: object) -> Path:
    path.write_text(json.dumps(data), "utf-8", "surrogatepass")
    return path


def test_policy_files(tmp_path: Path) -> None:
    for seed in seeds():
        for text in (mutate_text(POLICY, seed), json.dumps(mutate_data({"version": 1, "name": "x"}, seed))):
            (tmp_path / "policy.yml").write_text(text, "utf-8", "surrogatepass")
            with ours(seed):
                load_policy(tmp_path / "policy.yml")
            with ours(seed):
                read_document(tmp_path / "policy.yml", "approval_file")


@pytest.mark.parametrize("sealed", [False, True])
def test_plans(tmp_path: Path, sealed: bool) -> None:
    for seed in seeds():
        plan = mutate_data(RUN.plan, seed)
        with ours(seed):
            if sealed:
                with suppress(ValueError, TypeError):
                    plan = seal(plan)
            initial(read_plan(written(tmp_path / "plan.json", plan)))


def test_plans_as_text(tmp_path: Path) -> None:
    text = json.dumps(RUN.plan)[:20_000]
    for seed in seeds():
        (tmp_path / "plan.json").write_text(mutate_text(text, seed), "utf-8", "surrogatepass")
        with ours(seed):
            read_plan(tmp_path / "plan.json")


@pytest.mark.parametrize("sealed", [False, True])
def test_scans(tmp_path: Path, sealed: bool) -> None:
    for seed in seeds():
        scan = mutate_data(RUN.scan, seed)
        with ours(seed):
            if sealed:
                with suppress(ValueError, TypeError):
                    scan = seal_scan(scan)
            to_json(build_report(RUN.plan, RUN.records, read_scan(written(tmp_path / "scan.json", scan))).summary)


def test_stores(tmp_path: Path) -> None:
    for seed in seeds():
        data = mutate_data({"schema": "patchtide/stores/1", "journal": "dynamodb:t", "claims": "file:/x"}, seed)
        written(tmp_path / "stores.json", data)
        with ours(seed):
            read_stores(tmp_path)


def test_journals_as_text(tmp_path: Path) -> None:
    text = "".join(f"{record.to_line()}\n" for record in RUN.records[:12])
    for seed in seeds():
        data = mutate_text(text, seed).encode("utf-8", "surrogatepass")
        path = tmp_path / f"{seed}.jsonl"
        path.write_bytes(data)
        with ours(seed):
            replay(RUN.plan, examine(data).records)
        with ours(seed):
            list(JournalFile(path).stream())


def test_journals_that_are_chained_anew() -> None:
    for seed in range(10 * len(seeds())):
        state = initial(RUN.plan)
        with ours(seed):
            for record in rechained(seed):
                follow(state, record)


def rechained(seed: int) -> Iterator[Record]:
    """Yield the journal with one record changed; every other time what is said of nodes in it."""
    last: Record | None = None
    told = [number for number, record in enumerate(RUN.records) if "results" in record.data]
    place = told[seed % len(told)] if seed % 2 else seed % len(RUN.records)
    for number, record in enumerate(RUN.records):
        data: Any = dict(record.data)
        if number == place and seed % 2:
            data["results"] = mutate_data(data["results"], seed)
        elif number == place:
            data = mutate_data(data, seed)
        try:
            last = next_record(last, record.kind, data, from_time(record.at))
        except (ValueError, TypeError):  # JSON has no such value
            return
        yield last


def test_host_probes_and_lists() -> None:
    for seed in seeds():
        for text in (json.dumps(mutate_data(PROBE, seed)), mutate_text(json.dumps(PROBE), seed)):
            with ours(seed):
                json.dumps(evaluate_probe(text).to_dict(), allow_nan=False).encode()
                results = {"scan": {"status": "succeeded", "counts": {}}}
                record = final_record(NODE, results, parse_probe(text), "now").to_dict()
                json.dumps(record, allow_nan=False, ensure_ascii=False).encode()
        for manager, parts in LISTS.items():
            text = document(manager, parts)
            for answer in (mutate_text(text, seed), json.dumps(mutate_data(json.loads(text), seed))):
                with ours(seed):
                    json.dumps(
                        scan_result(*read_list(answer, PackageRules()), PackageRules()), allow_nan=False
                    ).encode()
        for manager, parts in PROOFS.items():
            text = document(manager, parts)
            for answer in (mutate_text(text, seed), json.dumps(mutate_data(json.loads(text), seed))):
                found = install_result(Look(state="ended", rc=0, proof=answer), ["toy.all:1.2", "patch:SUSE-1"])
                json.dumps(found, allow_nan=False).encode()
        with ours(seed):
            parse_look(mutate_text("state=ended\nrc=0\nboot_now=b\n@@out\nx\n@@err\n", seed))


class Loud:
    """A place whose first node says whatever it likes."""

    place = Place(region="r", account="1")

    def __init__(self, state: PatchState, patches: list[Any]) -> None:
        self.states = [state, PatchState(node_id="i-2", operation=state.operation, operation_ended_at=NOW, counts={})]
        self._patches = patches

    def patch_states(self, _nodes: object) -> list[PatchState]:
        return self.states

    def patches(self, _node: str, _states: object) -> list[Any]:
        return self._patches


@pytest.mark.parametrize(("stage", "operation"), [(InstallStage, "Install"), (lambda: ScanStage(details=True), "Scan")])
def test_patch_states(stage: Callable[[], Any], operation: str) -> None:
    counts = {"failed_count": 1, "missing_count": 2, "installed_pending_reboot_count": 0}
    for seed in seeds():
        row = mutate_data({"counts": counts, "at": "x", "patches": [{"id": "KB1"}]}, seed)
        found = row.get("counts") if isinstance(row.get("counts"), dict) else {"failed_count": row.get("counts")}
        at: Any = NOW if row.get("at") == "x" else row.get("at")
        state = PatchState(node_id="i-1", operation=operation, operation_ended_at=at, counts=found)
        rows = {name: Invocation(node_id=name, status="Success") for name in ("i-1", "i-2")}
        ended = Ended(rows, NOW - timedelta(minutes=1), frozenset(rows))
        results = stage().evaluate(ended, Loud(state, row.get("patches")))
        assert [item["node_id"] for item in results] == ["i-1", "i-2"], seed
        assert results[1]["status"] == "succeeded", seed
        json.dumps([bounded(item) for item in results], allow_nan=False)


@pytest.mark.parametrize("make", [RebootStage, "precheck"])
def test_outputs_of_commands(make: Any) -> None:
    stage = PrecheckStage(PrecheckRules()) if make == "precheck" else make()
    for seed in seeds():
        outputs = {"i-1": mutate_text(json.dumps(PROBE), seed), "i-2": json.dumps(PROBE)}
        rows = {name: Invocation(node_id=name, status="Success", output=text) for name, text in outputs.items()}
        results = stage.evaluate(Ended(rows, NOW), Loud(NO_STATE, []))
        assert [item["node_id"] for item in results] == ["i-1", "i-2"], seed
        json.dumps([bounded(item) for item in results], allow_nan=False, ensure_ascii=False).encode()
