# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documents: versions, defaults, sharing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.change import Change
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.errors import BadInput
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.ssm.documents import (
    Document,
    ensure_document,
    plan_document,
)

CONTENT = {"schemaVersion": "2.2", "mainSteps": [{"name": "kernel"}]}
OTHER = {"schemaVersion": "2.2", "mainSteps": [{"name": "date"}]}
HAVE = Document(name="kernel", content=CONTENT, latest_version="3", default_version="3")


class Recorder:
    """A ``DocumentPort`` that writes down what it is told."""

    def __init__(self) -> None:
        self.calls: list[tuple[Any, ...]] = []

    def find(self, name: str, *, with_sharing: bool) -> Document | None:
        return None

    def create(self, wanted: Document, version: Mapping[str, Any]) -> None:
        self.calls.append(("create", wanted.name))

    def update(self, wanted: Document, version: Mapping[str, Any]) -> str:
        self.calls.append(("update", wanted.name))
        return wanted.latest_version

    def set_default(self, name: str, version: str) -> None:
        self.calls.append(("set_default", version))

    def share(self, name: str, to_add: Sequence[str], to_remove: Sequence[str]) -> None:
        self.calls.append(("share", tuple(to_add), tuple(to_remove)))

    def set_tags(self, name: str, before: Mapping[str, str], after: Mapping[str, str]) -> None:
        self.calls.append(("set_tags", dict(after)))

    def version_of(self, before: Document, content: Any) -> str | None:
        return None

    def delete(self, name: str, *, force: bool) -> None:
        self.calls.append(("delete", name))


def plan(
    before: Document | None = None, *, present: bool = True, make_default: bool = True, **given: Any
) -> Change[Document]:
    return plan_document(
        before, {"name": "kernel", **given}, present=present, purge_tags=True, make_default=make_default
    )


def test_same_content_is_no_version() -> None:
    assert not plan(HAVE, content={**CONTENT}).changed


def test_other_content_is_the_next_version_and_the_default() -> None:
    after = plan(HAVE, content=OTHER).after
    assert after and (after.latest_version, after.default_version) == ("4", "4")


def test_default_stays_when_asked() -> None:
    after = plan(HAVE, content=OTHER, make_default=False).after
    assert after and (after.latest_version, after.default_version) == ("4", "3")


def plan_with_an_earlier(version: str, before: Document = HAVE, *, make_default: bool = True) -> Change[Document]:
    given = {"name": "kernel", "content": OTHER}
    return plan_document(before, given, present=True, purge_tags=True, make_default=make_default, same_as=version)


def test_an_earlier_content_makes_its_version_the_default_again() -> None:
    change, port = plan_with_an_earlier("2"), Recorder()
    assert change.after and (change.after.latest_version, change.after.default_version) == ("3", "2")
    ensure_document(port, change, {})
    assert port.calls == [("set_default", "2")]
    again = replace(HAVE, default_version="2")
    assert not plan_with_an_earlier("2", again).changed
    assert not plan_with_an_earlier("2", make_default=False).changed


def test_all_excludes_account_numbers() -> None:
    with pytest.raises(BadInput, match="either all or account numbers"):
        plan(HAVE, shared_with=("222222222222", "all"))


def test_sharing_and_tags_make_no_version() -> None:
    port, change = Recorder(), plan(HAVE, shared_with=("222222222222",), tags={"Team": "web"})
    ensure_document(port, change, {})
    assert port.calls == [("set_tags", {"Team": "web"}), ("share", ("222222222222",), ())]


def test_shared_one_is_unshared_before_it_is_deleted() -> None:
    port = Recorder()
    have = Document(name="kernel", content=CONTENT, shared_with=("all",))
    ensure_document(port, plan(have, present=False), {})
    assert port.calls == [("share", (), ("all",)), ("delete", "kernel")]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, "content: None"),
        ({"content": {"text": "x" * 70000}}, "at most 65536"),
        ({"content": {"mainSteps": []}}, "schemaVersion: ''"),
        ({"content": {**CONTENT, "schemaVersion": "0.3"}}, "schemaVersion: '0.3'.* one of 1.2, 2.0, 2.2"),
        ({"content": CONTENT, "document_type": "Automation"}, "schemaVersion: '2.2'.* one of 0.3"),
        ({"content": {"schemaVersion": "2.2"}}, "mainSteps, which schemaVersion 2.2 requires"),
        ({"content": {**CONTENT, "schemaVersion": "1.2"}}, "runtimeConfig, which schemaVersion 1.2 requires"),
        ({"content": CONTENT, "document_format": "TEXT"}, "TEXT for a change calendar"),
        ({"content": "BEGIN:VCALENDAR"}, "TEXT for a change calendar"),
        ({"content": CONTENT, "shared_with": ("me",)}, "an account of 12 digits"),
        ({"content": CONTENT, "target_type": "EC2"}, "a type such as"),
    ],
)
def test_what_the_service_would_refuse_is_named(given: dict[str, Any], message: str) -> None:
    with pytest.raises(BadInput, match=message):
        plan(**given)
