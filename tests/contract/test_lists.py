# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is approved is what is installed: rollouts by override lists on the lab, over a month of new versions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.events import GateJudged, WaveFinished
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.gate.decide import Verdict
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.lists.override_list import text_of
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.lists.planned import ListTrouble

from lab.aws.launch import Lab, lab
from tests.contract.listed_rollout import BUCKET, HOME, REGION, WEB, ListedRollout, codes

HERE = Path(__file__).parent
OPENSSL, TZDATA, CURL, BIND = "openssl.amd64", "tzdata.amd64", "curl.amd64", "bind9-dnsutils.amd64"
DAEMON, COMMON = "libvirt-daemon.amd64", "libvirt-common.amd64"


@pytest.fixture(scope="module")
def month() -> Iterator[Lab]:
    with lab(HERE.parent / "lab" / "month.yml") as running:
        yield running


@pytest.fixture
def cycle(month: Lab, tmp_path: Path) -> ListedRollout:
    made = ListedRollout(month, tmp_path)
    made.baseline("APP", "DEBIAN")
    return made


def test_what_was_approved_after_the_plan_is_not_installed_and_makes_nobody_fail(cycle: ListedRollout) -> None:
    """Between plan and night curl gets a security update that the baseline approves at once."""
    plan = cycle.plan()
    planned = {patch["id"] for patch in plan["waves"][0]["nodes"][0]["patches"]}
    assert CURL not in planned and plan["waves"][0]["nodes"][0]["pin"] == "list"
    cycle.pass_days(4)
    records = cycle.run()
    for name, record in records.items():
        assert record["status"] == "succeeded", record["error"]
        assert cycle.installs(name) == {*planned, COMMON} == set(record["installed"])
        assert record["proof"] == "node" and list(record["missing_after"]) == [CURL]
        assert codes(record) == {f"newly_approved {CURL}", f"unplanned {COMMON}"}
        old, new = next((row["old"], row["new"]) for row in record["changes"] if row["id"] == OPENSSL)
        assert (old, new) == ("3.0.17-1~deb12u1", "3.0.17-1~deb12u2")
    gate = cycle.gate()
    assert gate.verdict is Verdict.PAUSE and COMMON in gate.reasons[0] and "on 3" in gate.reasons[0]


def test_what_an_earlier_wave_brought_in_stops_no_later_one(cycle: ListedRollout) -> None:
    cycle.policy["waves"] = [{"name": "canary", "size": 1}, {"name": "rest"}]
    cycle.plan()
    cycle.run("canary")
    assert cycle.gate("canary").verdict is Verdict.PAUSE
    (one,) = cycle.records("canary").values()
    cycle.rollout.record(GateJudged(wave="canary", verdict="promote"))
    cycle.rollout.record(WaveFinished(wave="canary"))
    cycle.run("rest")
    assert codes(one) == {f"unplanned {COMMON}"} == codes(next(iter(cycle.records("rest").values())))
    assert cycle.gate("rest", ["canary"]).verdict is Verdict.PROMOTE


def test_by_the_baseline_the_difference_is_reported(cycle: ListedRollout) -> None:
    """The same night without a list: what was approved since is installed, and said."""
    cycle.policy["patching"] = {"pin": "baseline"}
    plan = cycle.plan()
    assert plan["lists"] == []
    cycle.pass_days(4)
    for name, record in cycle.run().items():
        assert record["status"] == "succeeded", record["error"]
        assert CURL in cycle.installs(name) and f"unplanned {CURL}" in codes(record)
    assert cycle.gate().verdict is Verdict.PAUSE


def test_what_a_neighbour_s_baseline_rejects_is_not_installed_on_it(month: Lab, tmp_path: Path) -> None:
    """On Linux a list is applied to rejected packages too, so the neighbour's list must not name them."""
    cycle = ListedRollout(month, tmp_path, ("app", "vault"))
    cycle.baseline("APP", "DEBIAN")
    cycle.baseline("VAULT", "DEBIAN", RejectedPatches=["openssl*"], RejectedPatchesAction="BLOCK")
    assert len(cycle.plan()["lists"]) == 2
    records = cycle.run()
    assert OPENSSL in cycle.installs("app-01") and OPENSSL not in cycle.installs("vault-01")
    assert {record["status"] for record in records.values()} == {"succeeded"}


def test_a_version_that_archives_dropped_pauses_by_name(cycle: ListedRollout) -> None:
    cycle.plan()
    cycle.pass_days(6)
    records = cycle.run()
    for record in records.values():
        assert record["status"] == "succeeded" and f"withdrawn {BIND}" in codes(record)
        (text,) = (item["text"] for item in record["differences"] if item["code"] == "withdrawn")
        assert "1:9.18.44-1~deb12u1, which was approved after the plan" in text
    assert BIND not in cycle.installs()
    gate = cycle.gate()
    assert gate.verdict is Verdict.PAUSE and any("1:9.18.41-1~deb12u1" in reason for reason in gate.reasons)


def test_a_kb_that_was_replaced_pauses_by_name(month: Lab, tmp_path: Path) -> None:
    cycle = ListedRollout(month, tmp_path, ("win",))
    cycle.baseline("WIN", "WINDOWS", days=7)
    plan = cycle.plan()
    assert plan["waves"][0]["nodes"][0]["pin"] == "kb"
    cycle.pass_days(6)
    (record,) = cycle.run().values()
    assert cycle.installs() == {"KB5995102"} == set(record["installed"])
    (found,) = (item for item in record["differences"] if item["code"] == "withdrawn")
    assert found["id"] == "KB5995101" and found["text"] == "replaced by KB5995201, which is not approved"
    assert record["status"] == "succeeded" and cycle.gate().verdict is Verdict.PAUSE


def test_what_others_installed_before_is_no_difference_and_what_they_change_meanwhile_is_theirs(
    cycle: ListedRollout,
) -> None:
    plan = cycle.plan()
    assert TZDATA in {patch["id"] for patch in plan["waves"][0]["nodes"][0]["patches"]}
    for name in cycle.nodes:
        cycle.fault(name, changed_by_others=[TZDATA])
    for record in cycle.run().values():
        assert record["status"] == "succeeded" and codes(record) == {f"unplanned {COMMON}"}


def test_a_list_that_nodes_can_not_read_installs_nothing_and_no_old_state_is_taken_for_it(
    month: Lab, tmp_path: Path
) -> None:
    """The controller reads its bucket, the nodes of another account do not. The first of them goes alone."""
    cycle = ListedRollout(month, tmp_path, owner=HOME)
    cycle.baseline("APP", "DEBIAN")
    mine = cycle.aws.client("s3", REGION, WEB)
    mine.create_bucket(Bucket="old", CreateBucketConfiguration={"LocationConstraint": REGION})
    mine.put_object(Bucket="old", Key="a", Body=b"patches: [{id: none, title: none}]")
    for row in cycle.nodes.values():  # a moment ago somebody's Install succeeded
        parameters = {"Operation": ["Install"], "RebootOption": ["NoReboot"], "InstallOverrideList": ["s3://old/a"]}
        cycle.ssm.send_command(InstanceIds=[row["node_id"]], DocumentName="AWS-RunPatchBaseline", Parameters=parameters)
    cycle.clock.sleep(3600)
    cycle.plan()
    cycle.aws.post("ledger/reset")
    records = cycle.run()
    assert cycle.installs() == set() and len(cycle.aws.get("ledger")["install_runs"]) == 1
    assert sorted(record["status"] for record in records.values()) == ["failed", "skipped", "skipped"]
    assert [record["error"]["code"] for record in records.values()].count("missed_list") == 2
    (tried,) = (record for record in records.values() if record["status"] == "failed")
    assert tried["error"]["code"] == "still_missing" and "list can't be read" in tried["error"]["text"]
    assert cycle.gate().verdict is Verdict.PAUSE


@pytest.mark.parametrize("trouble", ["changed", "no bucket", "denied"])
def test_a_list_that_is_not_as_planned_stops_the_wave_before_anything_is_sent(
    cycle: ListedRollout, trouble: str
) -> None:
    plan = cycle.plan()
    (listed,) = plan["lists"]
    key = f"pt/{listed['name']}"
    if trouble == "changed":
        cycle.s3.put_object(Bucket=BUCKET, Key=key, Body=text_of(listed).replace("openssl", "evil").encode())
    elif trouble == "no bucket":
        cycle.s3.delete_bucket(Bucket=BUCKET)
    elif trouble == "denied":
        cycle.aws.post("faults", {"rules": [{"kind": "deny", "service": "s3"}]})
    with pytest.raises(ListTrouble, match="Nothing was sent"):
        cycle.run()
    assert cycle.installs() == set() and cycle.aws.get("ledger")["install_runs"] == []
    assert not [row for row in cycle.ssm.list_commands()["Commands"] if row["Comment"].startswith("patchtide")]


def test_a_list_that_vanishes_between_pre_check_and_install_stops_the_wave(cycle: ListedRollout) -> None:
    (listed,) = cycle.plan()["lists"]
    driver = cycle.driver("all")
    pins = driver.permits.pins
    pins.publish()
    pins.check(list(cycle.rollout.nodes))
    cycle.s3.delete_object(Bucket=BUCKET, Key=f"pt/{listed['name']}")
    cycle.clock.sleep(61)
    with pytest.raises(ListTrouble, match="NoSuchKey"):
        pins.check(list(cycle.rollout.nodes))


def test_the_proof_costs_one_further_call_for_each_node(cycle: ListedRollout) -> None:
    """What is pending after the install; all else comes with answers that are read anyway, 50 nodes a page."""
    cycle.plan()
    cycle.aws.post("ledger/reset")
    cycle.run()
    calls = Counter[str]()
    for row in cycle.aws.get("ledger")["calls"]:
        calls[row["operation"]] += row["count"]
    nodes = len(cycle.nodes)
    assert (calls["DescribeInstancePatches"], calls["GetCommandInvocation"]) == (nodes, 0)


def test_the_proof_of_many_nodes_is_read_in_pages_except_what_is_pending(tmp_path: Path) -> None:
    """Three chunks of 50, 50 and 20. The same formula gives 10,000 calls of DescribeInstancePatches and 200 pages of
    states for 10,000 nodes."""
    estate = yaml.safe_load((HERE.parent / "lab" / "month.yml").read_text("utf-8"))
    estate["groups"] = [{**estate["groups"][0], "count": 120}]
    (tmp_path / "many.yml").write_text(yaml.safe_dump(estate), "utf-8")
    with lab(tmp_path / "many.yml") as running:
        cycle = ListedRollout(running, tmp_path)
        cycle.baseline("APP", "DEBIAN")
        cycle.plan()
        cycle.aws.post("ledger/reset")
        records = cycle.run()
        calls = Counter[str]()
        for row in cycle.aws.get("ledger")["calls"]:
            calls[row["operation"]] += row["count"]
    assert [record["status"] for record in records.values()] == ["succeeded"] * 120
    assert {record["proof"] for record in records.values()} == {"node"}
    assert (calls["DescribeInstancePatches"], calls["GetCommandInvocation"]) == (120, 0)


def test_a_list_is_written_once(cycle: ListedRollout) -> None:
    plan = cycle.plan()
    cycle.run()
    found = cycle.s3.list_objects_v2(Bucket=BUCKET)["Contents"]
    assert [row["Key"] for row in found] == [f"pt/{listed['name']}" for listed in plan["lists"]]
    body = cycle.s3.get_object(Bucket=BUCKET, Key=found[0]["Key"])["Body"].read()
    assert body == text_of(plan["lists"][0]).encode()


def test_a_wave_takes_only_what_an_earlier_one_has_proven(cycle: ListedRollout) -> None:
    """bind9-dnsutils was withdrawn before the canary got it, so that the next wave is not even asked for it."""
    cycle.policy["waves"] = [{"name": "canary", "size": 1}, {"name": "rest", "promote_from": "canary"}]
    plan = cycle.plan()
    canary = plan["waves"][0]["nodes"][0]["name"]
    cycle.pass_days(6)
    (first,) = cycle.run("canary").values()
    assert BIND not in first["installed"] and OPENSSL in first["installed"]
    cycle.rollout.record(GateJudged(wave="canary", verdict="promote"))
    cycle.rollout.record(WaveFinished(wave="canary"))
    records = cycle.run("rest")
    assert canary not in records and len(records) == 2
    for name, record in records.items():
        assert cycle.installs(name) == set(first["installed"]) and record["status"] == "succeeded"
        assert not {code for code in codes(record) if code.startswith("withdrawn")}
    keys = [row["Key"] for row in cycle.s3.list_objects_v2(Bucket=BUCKET)["Contents"]]
    assert len(keys) == 2  # the narrowed list has a digest of its own


def test_without_proof_nothing_is_promoted(cycle: ListedRollout) -> None:
    cycle.policy["waves"] = [{"name": "canary", "size": 1}, {"name": "rest", "promote_from": "canary"}]
    plan = cycle.plan()
    cycle.fault(plan["waves"][0]["nodes"][0]["name"], fail_patches=["*"])
    cycle.run("canary")
    cycle.rollout.record(GateJudged(wave="canary", verdict="promote"))
    cycle.rollout.record(WaveFinished(wave="canary"))
    for name, record in cycle.run("rest").items():
        assert cycle.installs(name) == set() and record["status"] == "no_op", record["error"]
        assert {f"not_promoted {OPENSSL}", f"not_promoted {BIND}"} <= codes(record)


OLD, NET, NEW = "KB5995101", "KB5995102", "KB5995201"


@pytest.fixture
def everything(month: Lab, tmp_path: Path) -> ListedRollout:
    """Windows nodes that install whatever they are offered, then reboot (TM-25)."""
    cycle = ListedRollout(month, tmp_path, ("win",))
    cycle.policy["patching"] = {"windows_document": "AWS-InstallWindowsUpdates"}
    return cycle


def test_all_that_is_offered_is_installed_whatever_the_plan_and_the_baseline_say(everything: ListedRollout) -> None:
    """Between plan and night the planned KB is replaced by one that the baseline approves only weeks later."""
    everything.baseline("WIN", "WINDOWS", days=14)
    plan = everything.plan()
    (node,) = plan["waves"][0]["nodes"]
    assert node["pin"] == "everything" and {row["id"] for row in node["patches"]} == {OLD, NET} and plan["lists"] == []
    assert [text for text in plan["warnings"] if "neither a baseline nor a list limits the install" in text]
    everything.pass_days(7)
    record = next(iter(everything.run().values()))
    assert everything.installs() == {NET, NEW} and record["status"] == "succeeded", record["error"]
    assert record["rebooted"] and record["boot_id_before"] != record["boot_id_after"] and not record["pending_reboot"]
    assert {NET, NEW} <= set(record["installed"]) and f"unplanned {NEW}" in codes(record)
    assert record["evidence"]["patch"]["document"] == "AWS-InstallWindowsUpdates"
    assert everything.gate().verdict is Verdict.PAUSE
    ledger = everything.aws.get("ledger")
    assert len(ledger["reboots"]) == 1


def test_one_that_failed_fails_the_node_though_nothing_planned_is_missing(everything: ListedRollout) -> None:
    everything.baseline("WIN", "WINDOWS", days=14)
    everything.plan()
    everything.pass_days(7)
    everything.fault(next(iter(everything.nodes)), fail_patches=[NEW])
    record = next(iter(everything.run().values()))
    assert (record["status"], record["error"]["code"], list(record["failed"])) == ("failed", "patch_failed", [NEW])
    assert NET in record["installed"]


def test_one_whose_search_fails_has_not_succeeded(everything: ListedRollout) -> None:
    everything.baseline("WIN", "WINDOWS", days=14)
    everything.plan()
    everything.fault(next(iter(everything.nodes)), fails_early=1)
    record = next(iter(everything.run().values()))
    assert record["status"] == "failed" and not everything.installs()


def test_what_the_baseline_blocks_comes_in_and_fails_the_node(everything: ListedRollout) -> None:
    everything.baseline("WIN", "WINDOWS", days=14, RejectedPatches=[NET], RejectedPatchesAction="BLOCK")
    everything.plan()
    record = next(iter(everything.run().values()))
    assert NET in everything.installs() and record["status"] == "failed"
    assert record["error"]["code"] == "installed_rejected"
