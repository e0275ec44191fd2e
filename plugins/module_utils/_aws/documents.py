# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documents through the SSM API."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from .._core.errors import ServiceError
from .._core.ssm.documents import SHARE_BATCH, Document
from .convert import from_tag_list, to_plain, to_tag_list
from .errors import aws_errors
from .once import create_once
from .paging import read_all, without_empty
from .tags import ensure_tags


class SsmDocuments:
    """The ``DocumentPort`` of one account-Region, also for the info module.

    :param client: its SSM client.
    :param once: an SSM client without retries, for the calls that have no idempotency token.
    :param render: writes data as JSON or YAML text.
    """

    def __init__(self, client: Any, once: Any = None, render: Any = None) -> None:
        self._client = client
        self._once = once
        self._render = render

    def find(self, name: str, *, with_sharing: bool) -> Document | None:
        """Two reads: description and content of the latest version. A third one for sharing."""
        try:
            with aws_errors(f"read document {name}"):
                data = self._client.describe_document(Name=name, DocumentVersion="$LATEST")["Document"]
        except ServiceError as error:
            if error.code != "InvalidDocument":
                raise
            return None
        return Document(
            name=name,
            document_type=data.get("DocumentType", "Command"),
            document_format=data.get("DocumentFormat", "JSON"),
            content=self.content(name, "$LATEST", data.get("DocumentFormat") == "TEXT"),
            display_name=data.get("DisplayName", ""),
            target_type=data.get("TargetType", ""),
            requires=tuple(to_plain(row) for row in data.get("Requires", [])),
            shared_with=self._shared_with(name) if with_sharing else None,
            tags=from_tag_list(data.get("Tags")),
            latest_version=data.get("LatestVersion", ""),
            default_version=data.get("DefaultVersion", ""),
        )

    def content(self, name: str, version: str, is_text: bool) -> Any:
        """Return the content of a version, as data unless it is text."""
        with aws_errors(f"read the content of document {name}"):
            reply = self._client.get_document(
                Name=name, DocumentVersion=version, DocumentFormat="TEXT" if is_text else "JSON"
            )
        return reply["Content"] if is_text else json.loads(reply["Content"])

    def version_of(self, before: Document, content: Any) -> str | None:
        """One read of the list of versions, and one of each until the content is found, the newest first."""
        action = f"list the versions of document {before.name}"
        rows = read_all(self._client, action, "list_document_versions", "DocumentVersions", 50, Name=before.name)
        numbers = sorted((int(row["DocumentVersion"]) for row in rows), reverse=True)
        earlier = (str(number) for number in numbers if str(number) != before.latest_version)
        is_text = before.document_format == "TEXT"
        return next((number for number in earlier if self.content(before.name, number, is_text) == content), None)

    def _shared_with(self, name: str) -> tuple[str, ...]:
        """Paginated here, because botocore has no paginator for it."""
        accounts: list[str] = []
        token: dict[str, str] = {}
        while True:
            with aws_errors(f"read the accounts with which document {name} is shared"):
                reply = self._client.describe_document_permission(Name=name, PermissionType="Share", **token)
            accounts += (account.lower() for account in reply.get("AccountIds", []))
            if not reply.get("NextToken"):
                return tuple(sorted(accounts))
            token = {"NextToken": reply["NextToken"]}

    def create(self, wanted: Document, version: Mapping[str, Any]) -> None:
        members = {**self._members(wanted, version), "Requires": _requires(wanted) or None}

        def create() -> str:
            with aws_errors(f"create document {wanted.name}"):
                self._once.create_document(
                    DocumentType=wanted.document_type, Tags=to_tag_list(wanted.tags), **without_empty(members)
                )
            return wanted.name

        create_once(create, lambda: wanted.name if self.find(wanted.name, with_sharing=False) else None)

    def update(self, wanted: Document, version: Mapping[str, Any]) -> str:
        def update() -> str:
            with aws_errors(f"update document {wanted.name}"):
                reply = self._once.update_document(
                    DocumentVersion="$LATEST", **without_empty(self._members(wanted, version))
                )
            return str(reply["DocumentDescription"]["DocumentVersion"])

        def find() -> str | None:
            found = self.find(wanted.name, with_sharing=False)
            return found.latest_version if found and found.latest_version == wanted.latest_version else None

        return create_once(update, find)

    def _members(self, wanted: Document, version: Mapping[str, Any]) -> dict[str, Any]:
        attachments = [
            {"Key": row["key"], "Values": row["values"], **({"Name": row["name"]} if row.get("name") else {})}
            for row in version.get("attachments") or []
        ]
        text = (
            wanted.content if isinstance(wanted.content, str) else self._render(wanted.content, wanted.document_format)
        )
        return {
            "Name": wanted.name,
            "Content": text,
            "DocumentFormat": wanted.document_format,
            "DisplayName": wanted.display_name,
            "TargetType": wanted.target_type,
            "VersionName": version.get("version_name"),
            "Attachments": attachments or None,
        }

    def set_default(self, name: str, version: str) -> None:
        with aws_errors(f"make version {version} of document {name} the default"):
            self._client.update_document_default_version(Name=name, DocumentVersion=version)

    def share(self, name: str, to_add: Sequence[str], to_remove: Sequence[str]) -> None:
        for member, accounts in (("AccountIdsToAdd", to_add), ("AccountIdsToRemove", to_remove)):
            for at in range(0, len(accounts), SHARE_BATCH):
                with aws_errors(f"share document {name}"):
                    self._client.modify_document_permission(
                        Name=name, PermissionType="Share", **{member: list(accounts[at : at + SHARE_BATCH])}
                    )

    def set_tags(self, name: str, before: Mapping[str, str], after: Mapping[str, str]) -> None:
        ensure_tags(self._client, "Document", name, before, after)

    def delete(self, name: str, *, force: bool) -> None:
        try:
            with aws_errors(f"delete document {name}"):
                self._client.delete_document(Name=name, **({"Force": True} if force else {}))
        except ServiceError as error:
            if error.code != "InvalidDocument":
                raise

    def read(self, options: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Return the documents that the options of ``ssm_document_info`` select, as plain data."""
        filters = [{"Key": "Owner", "Values": [options["owner"]]}]
        if options["prefix"]:
            filters.append({"Key": "Name", "Values": [options["prefix"]]})
        if options["document_type"]:
            filters.append({"Key": "DocumentType", "Values": [options["document_type"]]})
        rows = read_all(self._client, "list documents", "list_documents", "DocumentIdentifiers", 50, Filters=filters)
        return [self._whole(row, options) for row in rows if options["name"] in (None, row["Name"])]

    def _whole(self, row: Mapping[str, Any], options: Mapping[str, Any]) -> dict[str, Any]:
        name, is_text = row["Name"], row.get("DocumentFormat") == "TEXT"
        found: dict[str, Any] = {**to_plain(row), "tags": from_tag_list(row.get("Tags"))}
        if options["content"]:
            found["content"] = self.content(name, "$DEFAULT", is_text)
        if options["versions"]:
            action, operation = f"list the versions of document {name}", "list_document_versions"
            found["versions"] = to_plain(read_all(self._client, action, operation, "DocumentVersions", 50, Name=name))
        if options["sharing"]:
            found["shared_with"] = list(self._shared_with(name))
        return found


def _requires(wanted: Document) -> list[dict[str, str]]:
    names = {"name": "Name", "version": "Version", "require_type": "RequireType", "version_name": "VersionName"}
    return [{names[key]: value for key, value in row.items() if value} for row in wanted.requires]


def calendar_state(client: Any, names: Sequence[str], at: str | None) -> dict[str, str]:
    """Return ``state`` (OPEN, CLOSED), ``at_time`` and ``next_transition_time`` ("" if there is none) of calendars."""
    request = {"CalendarNames": list(names), **({"AtTime": at} if at else {})}
    with aws_errors(f"read the state of change calendars {', '.join(names)}"):
        reply = client.get_calendar_state(**request)
    members = {"state": "State", "at_time": "AtTime", "next_transition_time": "NextTransitionTime"}
    return {name: reply.get(member, "") for name, member in members.items()}
