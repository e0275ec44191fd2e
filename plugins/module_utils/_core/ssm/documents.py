# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""SSM documents of commands, runbooks and change calendars. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from ..change import Change, merge
from ..errors import BadInput
from ..tags import check_tags, merge_tags
from . import limits

TYPES = (
    "Command",
    "Automation",
    "Session",
    "Package",
    "ChangeCalendar",
    "ApplicationConfiguration",
    "ApplicationConfigurationSchema",
    "DeploymentStrategy",
    "Policy",
    "ProblemAnalysis",
    "ProblemAnalysisTemplate",
    "Automation.ChangeTemplate",
    "ManualApprovalPolicy",
    "AutoApprovalPolicy",
    "CloudFormation",
    "ConformancePackTemplate",
    "QuickSetup",
)
FORMATS = ("JSON", "YAML", "TEXT")
#: schema versions by the type of document
_SCHEMAS = {"Command": ("1.2", "2.0", "2.2"), "Automation": ("0.3",)}
MAX_BYTES = 64 * 1024
SHARE_BATCH = 20  # accounts per call of ModifyDocumentPermission (botocore's service model)
_OWN_VERSION = ("content", "display_name", "target_type", "requires", "document_format")


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A document of the account with its latest version.

    ``content`` is data for JSON and YAML, so that formatting is not a difference, and text for TEXT (change calendars).
    ``shared_with`` holds account IDs or ``all``, which the service writes "All" or "all" (ModifyDocumentPermission);
    ``None`` if it was not read.
    """

    name: str
    document_type: str = "Command"
    document_format: str = "JSON"
    content: Any = None
    display_name: str = ""
    target_type: str = ""
    requires: tuple[Mapping[str, str], ...] = ()
    shared_with: tuple[str, ...] | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    latest_version: str = ""
    default_version: str = ""


class DocumentPort(Protocol):
    """Documents of one account-Region."""

    def find(self, name: str, *, with_sharing: bool) -> Document | None:
        """Return the document with its latest version."""

    def version_of(self, before: Document, content: Any) -> str | None:
        """Return the number of the newest version that has this content."""

    def create(self, wanted: Document, version: Mapping[str, Any]) -> None:
        """Create it with its tags. ``version`` holds ``version_name`` and ``attachments``."""

    def update(self, wanted: Document, version: Mapping[str, Any]) -> str:
        """Add a version and return its number."""

    def set_default(self, name: str, version: str) -> None:
        """Make a version the default."""

    def share(self, name: str, to_add: Sequence[str], to_remove: Sequence[str]) -> None:
        """Share it with accounts, or stop sharing."""

    def set_tags(self, name: str, before: Mapping[str, str], after: Mapping[str, str]) -> None:
        """Change the tags from ``before`` to ``after``."""

    def delete(self, name: str, *, force: bool) -> None:
        """Delete it with all versions; does nothing if it does not exist. Some types need ``force``."""


def plan_document(
    before: Document | None,
    given: Mapping[str, Any],
    *,
    present: bool,
    purge_tags: bool,
    make_default: bool,
    same_as: str | None = None,
) -> Change[Document]:
    """Return the change that the declaration requires. Members that are ``None`` in ``given`` keep their values.

    :param same_as: an earlier version with the given content. The service refuses the same content again
        (DuplicateDocumentContent), so that this version becomes the default instead.
    :raises BadInput: a limit of the service is exceeded, or a new document has no content.
    """
    if not present:
        return Change(before, None)
    start = before or Document(name=given["name"])
    if same_as and before and (before.default_version == same_as or not make_default):
        before = start = replace(before, content=given["content"])
    tags = merge_tags(start.tags, given.get("tags"), purge_tags)
    wanted = replace(merge(start, {**given, "tags": None}), tags=tags)
    _check(wanted)
    renewed = before is None or before.document_type != wanted.document_type
    if renewed or start.content != wanted.content:
        _check_steps(wanted)
    if renewed:
        wanted = replace(wanted, latest_version="1", default_version="1")
        return Change(before, wanted, recreate="the type of a document can't change" if before else None)
    others = _OWN_VERSION[1:] if same_as else _OWN_VERSION
    if any(getattr(before, name) != getattr(wanted, name) for name in others):
        wanted = replace(wanted, latest_version=str(int(start.latest_version or 0) + 1))
    if make_default:
        wanted = replace(wanted, default_version=same_as or wanted.latest_version)
    return Change(before, wanted)


def check_version(version: Mapping[str, Any]) -> None:
    """Check what a new version has beside its content: ``version_name`` and ``attachments``."""
    _version_name("version_name", version.get("version_name"))
    limits.at_most("attachments", version.get("attachments"), 20)
    for row in version.get("attachments") or ():
        if len(row["values"]) != 1:
            raise BadInput("attachments.values", list(row["values"]), "one URL or reference for each file")
        limits.matches("attachments.values", row["values"][0], r"(?s).{1,1024}", "1 to 1024 characters")
        file = row.get("name")
        limits.matches("attachments.name", file, r"[a-zA-Z0-9_\-.]{3,128}", "3 to 128 letters, digits and _-.")


def _version_name(option: str, name: str | None) -> None:
    limits.matches(option, name, r"[a-zA-Z0-9_\-.]{1,128}", "1 to 128 letters, digits and _-.")


def _check(wanted: Document) -> None:
    limits.matches(
        "name", wanted.name, r"[a-zA-Z0-9_\-.]{3,128}", "3 to 128 letters, digits, underscores, hyphens and dots"
    )
    if wanted.content in (None, "", {}):
        raise BadInput("content", wanted.content, "content, which a new document requires")
    size = len((wanted.content if isinstance(wanted.content, str) else json.dumps(wanted.content)).encode())
    if size > MAX_BYTES:
        raise BadInput("content", f"{size} bytes", f"at most {MAX_BYTES}")
    if (wanted.document_format == "TEXT") != isinstance(wanted.content, str):
        raise BadInput("document_format", wanted.document_format, "TEXT for a change calendar, otherwise JSON or YAML")
    limits.matches(
        "target_type", wanted.target_type or None, r"/[\w.\-:/]{0,199}", "a type such as /AWS::EC2::Instance"
    )
    limits.shorter("display_name", wanted.display_name, 1024)
    limits.matches("display_name", wanted.display_name, r"[\w.\-:/ ]*", "letters, digits, spaces and _.-:/")
    for row in wanted.requires:
        limits.document("requires.name", row.get("name"))
        limits.document_version("requires.version", row.get("version"))
        for key in ("require_type", "version_name"):
            limits.matches(
                f"requires.{key}", row.get(key), r"[a-zA-Z0-9_\-.]{1,128}", "1 to 128 letters, digits and _-."
            )
    for account in wanted.shared_with or ():
        limits.matches("shared_with", account, r"all|[0-9]{12}", "an account of 12 digits, or all")
    if "all" in (wanted.shared_with or ()) and len(wanted.shared_with or ()) > 1:
        raise BadInput("shared_with", list(wanted.shared_with or ()), "either all or account numbers, not both")
    check_tags(wanted.tags)


def _check_steps(wanted: Document) -> None:
    """Refuse another schema and a document without steps (user guide, "Data elements and parameters")."""
    schemas = _SCHEMAS.get(wanted.document_type)
    if schemas is None or not isinstance(wanted.content, Mapping):
        return
    schema = str(wanted.content.get("schemaVersion", ""))
    limits.one_of("content.schemaVersion", schema, schemas)
    steps = "runtimeConfig" if schema == "1.2" else "mainSteps"
    if steps not in wanted.content:
        raise BadInput("content", sorted(wanted.content), f"{steps}, which schemaVersion {schema} requires")


def ensure_document(port: DocumentPort, change: Change[Document], version: Mapping[str, Any]) -> Document | None:
    """Apply the change and return the resulting document."""
    before, after = change.before, change.after
    if before and (after is None or change.recreate):
        if before.shared_with:  # a shared document cannot be deleted
            port.share(before.name, (), before.shared_with)
        port.delete(before.name, force=bool(version.get("force")))
        before = None
    if after is None:
        return None
    if before is None:
        port.create(after, version)
        before = replace(after, shared_with=())
    elif after.latest_version != before.latest_version:
        number = port.update(after, version)
        is_default = after.default_version == after.latest_version
        after = replace(after, latest_version=number, default_version=number if is_default else after.default_version)
    if after.default_version != before.default_version:
        port.set_default(after.name, after.default_version)
    if before.tags != after.tags:
        port.set_tags(after.name, before.tags, after.tags)
    have, want = set(before.shared_with or ()), set(after.shared_with or ())
    if after.shared_with is not None and have != want:
        port.share(after.name, sorted(want - have), sorted(have - want))
    return after


class DocumentNoun:
    """Declared document in one account-Region."""

    def __init__(self, port: DocumentPort, given: Mapping[str, Any], options: Mapping[str, Any]) -> None:
        self._port = port
        self._given = given
        self._options = options

    def plan(self) -> Change[Document]:
        options, present = self._options, self._options["state"] == "present"
        with_sharing = self._given["shared_with"] is not None or not present
        before = self._port.find(options["name"], with_sharing=with_sharing)
        content, same_as = self._given["content"], None
        if before and present and content not in (None, "", {}) and before.content != content:
            same_as = self._port.version_of(before, content)
        check_version(options)
        return plan_document(
            before,
            self._given,
            present=present,
            purge_tags=options["purge_tags"],
            make_default=options["make_default"],
            same_as=same_as,
        )

    def apply(self, change: Change[Document]) -> Document | None:
        return ensure_document(self._port, change, self._options)
