# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documents of users: create, versions, default version, sharing. moto has them, but no TEXT ones (calendars)."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

import yaml

from .document_content import check_content
from .documents import DOCUMENTS, Document
from .operations import Answer, Request, SsmError, operation, page

if TYPE_CHECKING:
    from .backend import Place

#: "64 KB" a document, versions of one, accounts that one can be shared with (service quotas)
MOST_BYTES, MOST_VERSIONS, MOST_SHARED = 64 * 1024, 1000, 1000
_TEXT_TYPES = {"ChangeCalendar"}
_KEPT = ("DisplayName", "VersionName", "TargetType", "Requires")


def own(place: Place, name: str) -> dict[str, Any]:
    """Return a user's document: {"type", "versions": {number: …}, "default", "shared"}."""
    found: dict[str, Any] | None = place.kept["documents"].get(name.rpartition("document/")[2])
    if found is None:
        raise SsmError("InvalidDocument", "The specified document does not exist.")
    return found


def _parse(content: str, form: str, kind: str) -> Any:
    if len(content.encode()) > MOST_BYTES:
        raise SsmError("MaxDocumentSizeExceeded", f"A document has at most {MOST_BYTES} bytes.")
    if kind in _TEXT_TYPES or form == "TEXT":
        if (kind in _TEXT_TYPES) != (form == "TEXT") or "BEGIN:VCALENDAR" not in content:
            raise SsmError("InvalidDocumentContent", "A ChangeCalendar is TEXT and an iCalendar, nothing else is TEXT.")
        return content
    try:
        data = json.loads(content) if form == "JSON" else yaml.safe_load(content)
    except (ValueError, yaml.YAMLError) as error:
        raise SsmError("InvalidDocumentContent", f"The content is no {form}: {error}") from None
    if not isinstance(data, dict) or "schemaVersion" not in data:
        raise SsmError("InvalidDocumentContent", "The content has no schemaVersion.")
    check_content(data, kind)
    return data


def _version(request: Request, number: int, kind: str, now: Any) -> dict[str, Any]:
    form = request.get("DocumentFormat", "JSON")
    data = _parse(request["Content"], form, kind)
    kept = {key: request[key] for key in _KEPT if key in request}
    return {"number": number, "data": data, "content": request["Content"], "form": form, "at": now, **kept}


@operation("CreateDocument")
def create_document(place: Place, request: Request) -> Answer:
    name, kind = request["Name"], request.get("DocumentType", "Command")
    if name in place.kept["documents"] or name in DOCUMENTS:
        raise SsmError("DocumentAlreadyExists", "The specified document already exists.")
    if name.lower().startswith(("aws-", "amazon", "amzn")):
        raise SsmError("InvalidDocumentContent", f"The name {name} begins like one of AWS.")
    first = _version(request, 1, kind, place.sim.now)
    tags = {row["Key"]: row["Value"] for row in request.get("Tags", [])}
    place.kept["documents"][name] = {"type": kind, "versions": {1: first}, "default": 1, "shared": {}, "tags": tags}
    return {"DocumentDescription": _describe(place, name, first)}


def _describe(place: Place, name: str, version: dict[str, Any]) -> dict[str, Any]:
    document = own(place, name)
    data = version["data"] if isinstance(version["data"], dict) else {}
    found = {
        "Name": name,
        "Owner": place.account,
        "CreatedDate": version["at"],
        "Status": "Active",
        "DocumentVersion": str(version["number"]),
        "DocumentType": document["type"],
        "DocumentFormat": version["form"],
        "LatestVersion": str(max(document["versions"])),
        "DefaultVersion": str(document["default"]),
        "Hash": hashlib.sha256(version["content"].encode()).hexdigest(),
        "HashType": "Sha256",
        "PlatformTypes": ["Windows", "Linux", "MacOS"],
        "Tags": [{"Key": key, "Value": value} for key, value in sorted(document["tags"].items())],
        **{key: version[key] for key in _KEPT if key in version},
    }
    if "schemaVersion" in data:
        found["SchemaVersion"] = str(data["schemaVersion"])
    return {**found, "Description": data["description"]} if data.get("description") else found


def _pick(document: dict[str, Any], request: Request) -> dict[str, Any]:
    wanted = request.get("DocumentVersion", "$DEFAULT")
    number = {"$DEFAULT": document["default"], "$LATEST": max(document["versions"])}.get(wanted)
    number = int(wanted) if number is None else number
    if number not in document["versions"]:
        raise SsmError("InvalidDocumentVersion", f"There is no version {wanted}.")
    found: dict[str, Any] = document["versions"][number]
    return found


@operation("DescribeDocument")
def describe_document(place: Place, request: Request) -> Answer:
    if request["Name"] in DOCUMENTS:
        return {"Document": _describe_theirs(DOCUMENTS[request["Name"]], request)}
    return {"Document": _describe(place, request["Name"], _pick(own(place, request["Name"]), request))}


def _describe_theirs(document: Document, request: Request) -> dict[str, Any]:
    """One of AWS's own documents."""
    version = request.get("DocumentVersion", "$DEFAULT")
    if not document.has_version(version):
        raise SsmError("InvalidDocumentVersion", f"There is no version {version}.")
    return {
        "Name": document.name,
        "Owner": "Amazon",
        "Status": "Active",
        "DocumentVersion": version if version.isdigit() else str(document.latest),
        "DocumentType": "Command",
        "DocumentFormat": "JSON",
        "LatestVersion": str(document.latest),
        "DefaultVersion": str(document.latest),
        "Hash": document.digest(),
        "HashType": "Sha256",
        "PlatformTypes": list(document.platforms),
    }


@operation("GetDocument")
def get_document(place: Place, request: Request) -> Answer:
    document = own(place, request["Name"])
    version = _pick(document, request)
    form = request.get("DocumentFormat", "TEXT" if version["form"] == "TEXT" else "JSON")
    if (form == "TEXT") != (version["form"] == "TEXT"):
        raise SsmError("InvalidDocument", f"The document can't be given as {form}.")
    content = version["content"] if form == version["form"] else _render(version["data"], form)
    return {
        "Name": request["Name"],
        "DocumentVersion": str(version["number"]),
        "Status": "Active",
        "Content": content,
        "DocumentType": document["type"],
        "DocumentFormat": form,
        **{key: version[key] for key in ("VersionName", "DisplayName", "Requires") if key in version},
    }


def _render(data: Any, form: str) -> str:
    return json.dumps(data) if form == "JSON" else yaml.safe_dump(data)


@operation("UpdateDocument")
def update_document(place: Place, request: Request) -> Answer:
    document = own(place, request["Name"])
    if request.get("DocumentVersion") not in ("$LATEST", str(max(document["versions"]))):
        raise SsmError("InvalidDocumentVersion", "The document version must be the latest one.")
    number = max(document["versions"]) + 1
    new = _version({"DocumentFormat": "JSON", **request}, number, document["type"], place.sim.now)
    rows = document["versions"].values()
    if any(row["data"] == new["data"] and row.get("TargetType") == new.get("TargetType") for row in rows):
        raise SsmError("DuplicateDocumentContent", "The content of the document matches another document version.")
    if any("VersionName" in new and row.get("VersionName") == new["VersionName"] for row in rows):
        raise SsmError("DuplicateDocumentVersionName", "The version name has already been used in this document.")
    document["versions"][number] = new
    return {"DocumentDescription": _describe(place, request["Name"], new)}


@operation("UpdateDocumentDefaultVersion")
def update_document_default_version(place: Place, request: Request) -> Answer:
    document = own(place, request["Name"])
    document["default"] = _pick(document, request)["number"]
    return {"Description": {"Name": request["Name"], "DefaultVersion": str(document["default"])}}


@operation("DeleteDocument")
def delete_document(place: Place, request: Request) -> Answer:
    document = own(place, request["Name"])
    if document["shared"]:
        raise SsmError("InvalidDocumentOperation", "You must stop sharing the document before you can delete it.")
    del place.kept["documents"][request["Name"]]
    return {}


@operation("ListDocuments")
def list_documents(place: Place, request: Request) -> Answer:
    rows = [_describe(place, name, _pick(row, {})) for name, row in sorted(place.kept["documents"].items())]
    for item in request.get("Filters", []):
        key, values = item.get("Key", ""), item.get("Values", [])
        if key not in ("Name", "Owner", "DocumentType"):
            raise SsmError("InvalidFilterKey", f"The lab filters documents by Name, Owner and DocumentType, not {key}.")
        if key == "Name":
            rows = [row for row in rows if any(row["Name"].startswith(value) for value in values)]
        elif key == "DocumentType":
            rows = [row for row in rows if row["DocumentType"] in values]
    names = ("Name", "Owner", "DocumentVersion", "DocumentType", "DocumentFormat", "CreatedDate", "TargetType", "Tags")
    listed = [{key: row[key] for key in names if key in row} for row in rows]
    return page("DocumentIdentifiers", listed, request, 50)


@operation("ListDocumentVersions")
def list_document_versions(place: Place, request: Request) -> Answer:
    document = own(place, request["Name"])
    rows = [
        {
            "Name": request["Name"],
            "DocumentVersion": str(number),
            "CreatedDate": row["at"],
            "IsDefaultVersion": number == document["default"],
            "DocumentFormat": row["form"],
            "Status": "Active",
            **{key: row[key] for key in ("VersionName", "DisplayName") if key in row},
        }
        for number, row in sorted(document["versions"].items(), reverse=True)
    ]
    return page("DocumentVersions", rows, request, 50)


@operation("ModifyDocumentPermission")
def modify_document_permission(place: Place, request: Request) -> Answer:
    shared = own(place, request["Name"])["shared"]
    for given in (request.get("AccountIdsToAdd", []), request.get("AccountIdsToRemove", [])):
        if len(given) > 1 and "all" in [account.lower() for account in given]:
            # "The account IDs can either be a group of account IDs or *All*." (ModifyDocumentPermission)
            raise SsmError("ValidationException", "Account IDs are either a group of account IDs or All.")
    for account in request.get("AccountIdsToRemove", []):
        shared.pop(account.lower(), None)
    for account in request.get("AccountIdsToAdd", []):
        shared[account.lower()] = request.get("SharedDocumentVersion", "$DEFAULT")
    if len(shared) > MOST_SHARED:
        raise SsmError("DocumentPermissionLimit", f"A document can be shared with {MOST_SHARED} accounts.")
    return {}


@operation("DescribeDocumentPermission")
def describe_document_permission(place: Place, request: Request) -> Answer:
    shared = sorted(own(place, request["Name"])["shared"].items())
    found = page("rows", shared, {**request, "MaxResults": min(request.get("MaxResults", 20), 20)}, 20)
    rows = found.pop("rows")
    return {
        **found,
        "AccountIds": [account for account, _ in rows],
        "AccountSharingInfoList": [{"AccountId": a, "SharedDocumentVersion": version} for a, version in rows],
    }
