# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The result has one shape, whether one account-Region answered or many, and whether they succeeded."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._ansible import run
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.errors import AccessDenied, PatchtideError
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.model import Place

OWN = "111111111111"


class Ended(Exception):
    """The module ended; the arguments are how and with what."""


class FakeModule:
    def __init__(self, regions: list[str], on_place_error: str) -> None:
        self.params = {"regions": regions, "accounts": [], "on_place_error": on_place_error}

    def exit_json(self, **result: Any) -> None:
        raise Ended(False, result)

    def fail_json(self, **result: Any) -> None:
        raise Ended(True, result)


class FakeSessions:
    default_region = None
    answers = True

    def __init__(self, _connection: object) -> None:
        pass

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
