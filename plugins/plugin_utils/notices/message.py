# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A message to one route: its texts from the templates, which users may override.

Texts from clouds and nodes are values of the templates, never templates themselves.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import FileSystemLoader, StrictUndefined, TemplateError, TemplateNotFound
from jinja2.sandbox import ImmutableSandboxedEnvironment

from ...module_utils._core.canonical import to_digest
from ...module_utils._core.notice.model import SCHEMA, Notice
from ...module_utils._core.text import plain

_BUILT_IN = Path(__file__).parent / "texts"
_SINGLE, _DIGEST = "notice.txt.j2", "digest.txt.j2"


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What a sender delivers.

    :param key: the deduplication key, the same each time the message is sent. :param keys: of the notices in it.
    :param digest: the moment of the digest; "" for a single notice.
    :param subject: one line. :param text: lines. :param data: both as JSON, with the facts.
    """

    route: str
    key: str
    keys: tuple[str, ...]
    subject: str
    text: str
    data: Mapping[str, Any]
    digest: str = ""

    @property
    def severity(self) -> str:
        return str(self.data["severity"])

    @property
    def kind(self) -> str:
        return str(self.data["kind"])


class Texts:
    """Renders messages. ``problems``: why a user's template was not used; the built-in text replaces it.

    :param folder: the directory of the user's templates; ``None`` for none.
    """

    def __init__(self, folder: Path | None) -> None:
        self.problems: list[str] = []
        self._own = _environment(folder) if folder else None
        self._built_in = _environment(_BUILT_IN)

    def single(self, route: str, notice: Notice) -> Message:
        """Return the message of one notice."""
        key, data = notice.key_for(route), notice.to_data()
        subject, text = self._render((f"{notice.kind}.txt.j2", _SINGLE), data)
        return Message(
            route=route, key=key, keys=(key,), subject=subject, text=text, data={**data, "key": key, "body": text}
        )

    def digest(self, route: str, at: str, notices: Sequence[Notice]) -> Message:
        """Return the message of a digest. :param at: its moment."""
        rows = [notice.to_data() for notice in notices]
        severity = max(notices, key=lambda notice: notice.rank).to_data()["severity"]
        data: dict[str, Any] = {"schema": SCHEMA, "kind": "digest", "severity": severity, "at": at}
        data |= {"notices": rows, "rehearsal": any(notice.rehearsal for notice in notices)}
        subject, text = self._render((_DIGEST,), data)
        key = to_digest(["digest", route, at])
        data |= {"key": key, "title": subject, "body": text}
        keys = tuple(notice.key_for(route) for notice in notices)
        return Message(route=route, key=key, keys=keys, subject=subject, text=text, data=data, digest=at)

    def _render(self, names: Sequence[str], data: Mapping[str, Any]) -> tuple[str, str]:
        """Return subject and text: the first line of the first template that exists, and the others."""
        for name in names if self._own else ():
            try:
                return _parts(self._own.get_template(name).render(data))  # type: ignore[union-attr]  # it is there
            except TemplateNotFound as error:
                if error.name != name:
                    self._note(name, f"it includes {error.name}, which does not exist")
            except (TemplateError, ArithmeticError, LookupError, TypeError, ValueError) as error:
                self._note(name, f"{type(error).__name__}: {error}")
        return _parts(self._built_in.get_template(names[-1]).render(data))

    def _note(self, name: str, why: str) -> None:
        text = plain(f"template {name} is not used: {why}")
        if text not in self.problems:
            self.problems.append(text)


def _environment(folder: Path) -> ImmutableSandboxedEnvironment:
    return ImmutableSandboxedEnvironment(
        loader=FileSystemLoader(folder), undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )


def _parts(text: str) -> tuple[str, str]:
    """:raises ValueError: there is no text."""
    subject, _newline, rest = text.strip().partition("\n")
    if not subject:
        raise ValueError("it renders no text")
    lines = [plain(line).rstrip() for line in rest.strip().splitlines()]
    return plain(subject).strip(), "\n".join(lines)
