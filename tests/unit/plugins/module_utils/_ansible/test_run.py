# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The result has one shape, whether one account-Region answered or many, and whether they succeeded."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._ansible import run
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.change import Change
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.errors import AccessDenied, PatchtideError
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.model import Place

OWN = "111111111111"


class Ended(Exception):
    """The module ended; the arguments are how and with what."""


class FakeModule:
    check_mode = False
    _diff = True

    def __init__(self, regions: list[str], on_place_error: str) -> None:
        self.params: dict[str, Any] = {"regions": regions, "accounts": [], "on_place_error": on_place_error}

    def exit_json(self, **result: Any) -> None:
        raise Ended(False, result)

    def fail_json(self, **result: Any) -> None:
        raise Ended(True, result)


class FakeSessions:
    default_region = None
    answers = True

    def __init__(self, _connection: object) -> None:
        pass

    def client(self, _service: str, place: Place) -> str:
        return place.region

    def own_account(self, region: str, *, retry: bool) -> str:
        if not self.answers:
            raise AccessDenied("identify the caller", "X", region)
        return OWN


@pytest.fixture(autouse=True)
def no_aws(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "Sessions", FakeSessions)
    monkeypatch.setattr(run, "get_aws_connection_info", lambda _module: (None, None, {}))
    monkeypatch.setattr(run, "warn", lambda _text: None)


def ended(call: Any, *regions: str, on_place_error: str = "fail") -> tuple[bool, dict[str, Any]]:
    with pytest.raises(Ended) as found:
        call(FakeModule(list(regions), on_place_error))
    return found.value.args  # type: ignore[return-value]  # args of Ended


def manage(module: Any) -> None:
    run.run_places(module, lambda _sessions, place: {"changed": True, "thing": work(place)})


def read(module: Any) -> None:
    run.run_info(module, "things", lambda _sessions, place: [work(place)], lambda things: {"count": len(things)})


def work(place: Place) -> dict[str, str]:
    if place.region == "down":
        raise PatchtideError("no answer")
    return {"name": "x"}


@pytest.mark.parametrize("regions", [("a",), ("a", "b")])
def test_managed_objects_are_in_rows_for_one_and_for_many(regions: tuple[str, ...]) -> None:
    rows = [
        {"place": f"{OWN}/{name}", "account": OWN, "region": name, "changed": True, "thing": {"name": "x"}}
        for name in regions
    ]
    assert ended(manage, *regions) == (False, {"changed": True, "places": rows, "failed_places": []})


@pytest.mark.parametrize("regions", [("a",), ("a", "b")])
def test_information_is_a_flat_list_for_one_and_for_many(regions: tuple[str, ...]) -> None:
    rows = [{"account": OWN, "region": name, "name": "x"} for name in regions]
    wanted = {"changed": False, "things": rows, "count": len(rows), "failed_places": []}
    assert ended(read, *regions) == (False, wanted)


@pytest.mark.parametrize("call", [manage, read])
@pytest.mark.parametrize("on_place_error", ["fail", "report"])
def test_what_fails_is_a_row_of_its_own(call: Any, on_place_error: str) -> None:
    failed, result = ended(call, "a", "down", on_place_error=on_place_error)
    row = {"place": f"{OWN}/down", "account": OWN, "region": "down"}
    assert result["failed_places"] == [{**row, "error": {"code": "Error", "message": "no answer"}}]
    assert len(result.get("places") or result["things"]) == 1 and failed == (on_place_error == "fail")
    assert ended(call, "down", on_place_error=on_place_error)[0], "nothing but failures fails in any case"


@pytest.mark.parametrize(("call", "name"), [(manage, "places"), (read, "things")])
def test_without_a_region_the_shape_stays(call: Any, name: str) -> None:
    failed, result = ended(call)
    assert failed and (result[name], result["failed_places"], result["error"]["code"]) == ([], [], "BadInput")


def test_the_account_stays_open_if_sts_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(FakeSessions, "answers", False)
    assert ended(manage, "a")[1]["places"][0] == {
        "place": "a",
        "account": None,
        "region": "a",
        "changed": True,
        "thing": {"name": "x"},
    }


class Thing:
    """An object that is created in each Region but ``down``, after those before it."""

    applied: ClassVar[list[str]] = []
    ports: ClassVar[list[str]] = []

    @classmethod
    def port(cls, region: str) -> str:
        cls.ports.append(region)
        return region

    def __init__(self, region: str, options: Mapping[str, Any]) -> None:
        self.region, self.name = region, str(options["name"])

    def plan(self) -> Change[dict[str, str]]:
        if self.region == "down" or self.name == "wrong":
            raise PatchtideError(f"no {self.name} in {self.region}")
        return Change(None, {"name": self.name})

    def apply(self, change: Change[dict[str, str]]) -> dict[str, str] | None:
        self.applied.append(f"{self.region} {self.name}")
        return change.after


def kinds() -> dict[str, run.Kind]:
    text = {"type": "str"}
    shared: dict[str, Any] = {
        "rules": {},
        "header": lambda options: f"thing {options['name']}",
        "port": Thing.port,
        "make": Thing,
    }
    spec = {"name": {**text, "required": True}, "size": {"type": "int"}, "level": {**text, "default": "LOW"}}
    return {
        "firsts": run.Kind(name="first", spec=spec, **shared),
        "seconds": run.Kind(name="second", spec=spec, **shared),
    }


def apply_all(*regions: str, check: bool = False, report: bool = False, **given: Any) -> tuple[bool, dict[str, Any]]:
    Thing.applied.clear()
    Thing.ports.clear()
    module: Any = FakeModule(list(regions), "report" if report else "fail")
    module.check_mode = check
    module.params |= {"firsts": [], "seconds": [], **given}
    with pytest.raises(Ended) as found:
        run.run_objects(module, kinds())
    return found.value.args  # type: ignore[return-value]  # args of Ended


def test_many_objects_are_applied_in_order_with_a_row_for_each() -> None:
    failed, result = apply_all("a", seconds=[{"name": "y"}], firsts=[{"name": "x"}])
    assert (failed, Thing.applied) == (False, ["a x", "a y"])
    origin = {"place": f"{OWN}/a", "account": OWN, "region": "a", "changed": True, "created": True}
    rows = [{**origin, "kind": "firsts", "name": "x", "object": {"name": "x"}}]
    assert result["objects"] == [*rows, {**origin, "kind": "seconds", "name": "y", "object": {"name": "y"}}]
    assert (result["changed"], result["failed_objects"], result["failed_places"]) == (True, [], [])
    assert [item["after_header"] for item in result["diff"]] == [f"thing x in {OWN}/a", f"thing y in {OWN}/a"]


def test_an_object_that_fails_does_not_stop_the_next_one() -> None:
    things = [{"name": "wrong"}, {"name": "x"}, {"name": "wrong"}]
    failed, result = apply_all("a", "b", firsts=things, report=True)
    assert failed, "no account-Region succeeded as a whole"
    assert sorted(Thing.applied) == ["a x", "b x"]
    assert [row["name"] for row in result["failed_objects"]] == ["wrong"] * 4
    assert result["failed_objects"][0]["error"] == {"code": "Error", "message": "no wrong in a"}
    assert [row["error"]["message"] for row in result["failed_places"]] == ["no wrong in a", "no wrong in b"]


@pytest.mark.parametrize("report", [True, False])
def test_an_account_region_that_fails_is_reported_or_fails_the_task(report: bool) -> None:
    failed, result = apply_all("a", "down", firsts=[{"name": "x"}], report=report)
    assert failed is not report and Thing.applied == ["a x"]
    assert [row["place"] for row in result["failed_places"]] == [f"{OWN}/down"]
    assert len(result["objects"]) == len(result["failed_objects"]) == 1


def test_objects_of_a_kind_share_a_port_and_kinds_without_objects_have_none() -> None:
    apply_all("a", "b", firsts=[{"name": "x"}, {"name": "y"}, {"name": "wrong"}])
    assert sorted(Thing.ports) == ["a", "b"]


def test_check_mode_applies_nothing() -> None:
    failed, result = apply_all("a", firsts=[{"name": "x"}], check=True)
    assert (failed, result["changed"], Thing.applied) == (False, True, [])


@pytest.mark.parametrize(
    ("wrong", "text"),
    [
        ({}, "firsts[1]: None is not valid, expected the options of one object: missing required arguments: name"),
        ({"name": "y", "colour": "red"}, "firsts[1]: 'y' is not valid"),
        ({"name": "y", "size": "ten"}, "firsts[1]: 'y' is not valid"),
    ],
)
def test_wrong_options_of_one_object_are_refused_before_anything_is_applied(wrong: Any, text: str) -> None:
    failed, result = apply_all("a", firsts=[{"name": "x"}, wrong])
    assert failed and result["msg"].startswith(text) and Thing.applied == []
    assert (result["objects"], result["failed_objects"], result["failed_places"]) == ([], [], [])


def test_options_have_the_types_and_defaults_of_the_module_for_one_object(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Mapping[str, Any]] = []
    monkeypatch.setattr(Thing, "__init__", lambda self, _region, options: seen.append(options))
    monkeypatch.setattr(Thing, "plan", lambda _self: Change({}, {}))
    assert not apply_all("a", firsts=[{"name": "x", "size": "10"}])[0]
    assert seen == [{"name": "x", "size": 10, "level": "LOW"}]
