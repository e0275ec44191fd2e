# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Texts of messages: the built-in ones, those of users, and what foreign text can't do in them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.nodes import Candidate
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.notice.model import Notice
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.policy.notice_rules import KINDS
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.notices.message import Texts

EVIL = "a\r\nBcc: x@example.com\n{{ 7*7 }}\x1b[31m\u202e{nodes}"


def notice(kind: str = "paused", **more: Any) -> Notice:
    nodes = tuple(Candidate(node_id=f"i-{number}", host=f"h{number}", name=EVIL) for number in range(40))
    given = {"facts": {"policy": "contoso", "reason": EVIL, "wave": "dev"}, "nodes": nodes, "points": {"i-3": EVIL}}
    return Notice(kind=kind, about=("r",), **{**given, **more})


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_a_text_of_its_own(kind: str) -> None:
    found = Texts(None).single("r", notice(kind))
    assert found.subject.startswith("contoso: ") and "None" not in found.subject + found.text
    assert (found.kind, found.severity, found.data["body"]) == (kind, KINDS[kind], found.text)


def test_foreign_text_stays_in_its_line_and_is_no_template() -> None:
    found = Texts(None).single("r", notice("exception_alarm", facts={"policy": EVIL, "text": EVIL, "alarm": EVIL}))
    assert "\n" not in found.subject and "\r" not in found.subject + found.text and "\x1b" not in found.text
    assert "{{ 7*7 }}" in found.subject and "{nodes}" in found.subject and "49" not in found.subject + found.text
    assert not [line for line in found.text.splitlines() if line.startswith("Bcc")]


def test_every_text_of_a_request_is_one_line() -> None:
    facts = dict.fromkeys(("policy", "rollout", "wave", "window", "exception", "reason"), EVIL)
    data = notice(facts=facts).to_data()
    rows = [text for node in data["nodes"] for text in node.values()]
    texts = [text for text in (*data.values(), *rows) if isinstance(text, str)]
    assert len(texts) > 200 and all(text.isprintable() for text in texts)


def test_nodes_with_trouble_are_listed_and_otherwise_all() -> None:
    (line,) = [line for line in Texts(None).single("r", notice()).text.splitlines() if line.startswith("- ")]
    assert "(i-3): a" in line
    text = Texts(None).single("r", notice(points={})).text
    assert sum(line.startswith("- ") for line in text.splitlines()) == 30 and "and 10 more." in text


def test_a_rehearsal_says_so() -> None:
    assert Texts(None).single("r", notice(rehearsal=True)).subject.startswith("Rehearsal: contoso: ")


def test_a_users_template_comes_first_and_one_of_the_kind_before_all(tmp_path: Path) -> None:
    (tmp_path / "notice.txt.j2").write_text("Mine: {{ title }}\n\n{{ node_count }}\n")
    (tmp_path / "paused.txt.j2").write_text("{{ wave }} paused\n")
    texts = Texts(tmp_path)
    assert texts.single("r", notice()).subject == "dev paused"
    found = texts.single("r", notice("started"))
    assert (found.subject, found.text) == ("Mine: contoso: patching of 40 nodes has started", "40")
    assert not texts.problems


@pytest.mark.parametrize(
    ("template", "why"),
    [
        ("{{ nothing }}", "UndefinedError"),
        ("{% if %}", "TemplateSyntaxError"),
        ("{{ 1 / 0 }}", "ZeroDivisionError"),
        ("{{ ''.__class__.__mro__ }}", "SecurityError"),
        ("{% include 'other.j2' %}", "it includes other.j2, which does not exist"),
        ("  \n", "it renders no text"),
    ],
)
def test_a_template_with_a_mistake_is_named_and_the_built_in_text_is_sent(
    template: str, why: str, tmp_path: Path
) -> None:
    (tmp_path / "notice.txt.j2").write_text(template)
    texts = Texts(tmp_path)
    found = [texts.single("r", notice()) for _twice in range(2)]
    assert found[0].subject == "contoso: rollout paused after wave dev, 1 node to look at"
    assert len(texts.problems) == 1 and texts.problems[0].startswith("template notice.txt.j2 is not used: ")
    assert why in texts.problems[0]


def test_a_digest_is_one_message_with_the_keys_of_all(tmp_path: Path) -> None:
    notices = [notice(), notice("aborted"), notice("started")]
    found = Texts(None).digest("r", "2026-12-01T07:00:00.000Z", notices)
    assert found.subject == "Patching: 3 notices"
    assert found.keys == tuple(item.key_for("r") for item in notices)
    assert (found.severity, found.kind, len(found.data["notices"])) == ("critical", "digest", 3)
    again = Texts(None).digest("r", "2026-12-01T07:00:00.000Z", notices[:1])
    assert again.key == found.key != Texts(None).digest("r", "2026-12-02T07:00:00.000Z", notices).key
