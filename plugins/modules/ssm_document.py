#!/usr/bin/python
# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: ssm_document
short_description: Manage documents in AWS Systems Manager
version_added: 0.1.0
description:
  - Creates documents for commands, runbooks, change calendars and other purposes, adds versions, sets the default
    version and shares documents.
  - Content is compared as data. Whitespace, quotes and the order of keys do not matter.
  - Options that are not set keep their current value.
author:
  - The patchtide.hybrid contributors (@patchtide)
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
  - patchtide.hybrid.places
  - patchtide.hybrid.attributes
  - patchtide.hybrid.tags
options:
  name:
    description: Name of the document, 3 to 128 letters, digits, underscores, hyphens and dots.
    type: str
    required: true
  state:
    description: V(present) creates or updates the document, V(absent) stops sharing it and deletes all versions.
    type: str
    choices: [present, absent]
    default: present
  document_type:
    description:
      - Type of the document. Defaults to V(Command) for a new document.
      - The service cannot change the type, so the module deletes and recreates the document; the diff shows this.
    type: str
    choices:
      - Command
      - Automation
      - Session
      - Package
      - ChangeCalendar
      - ApplicationConfiguration
      - ApplicationConfigurationSchema
      - DeploymentStrategy
      - Policy
      - ProblemAnalysis
      - ProblemAnalysisTemplate
      - Automation.ChangeTemplate
      - ManualApprovalPolicy
      - AutoApprovalPolicy
      - CloudFormation
      - ConformancePackTemplate
      - QuickSetup
  document_format:
    description:
      - Format in which the service stores the content. V(TEXT) is for change calendars in iCalendar format. Defaults
        to V(JSON).
    type: str
    choices: [JSON, YAML, TEXT]
  content:
    description:
      - Content as a dictionary, or as JSON, YAML or iCalendar text, at most 64 KB. Required for a new document.
    type: raw
  display_name:
    description: Display name of the document.
    type: str
  target_type:
    description: Type of resource on which the document can run, such as V(/AWS::EC2::Instance).
    type: str
  version_name:
    description: Name of the version created by a change of content. Not compared.
    type: str
  requires:
    description: Documents that this document requires. Sent only for a new document.
    type: list
    elements: dict
    suboptions:
      name:
        description: Name of the required document.
        type: str
        required: true
      version:
        description: Version of the required document.
        type: str
      require_type:
        description: Type of the requirement.
        type: str
      version_name:
        description: Version name of the required document.
        type: str
  attachments:
    description: Files attached to the version created by a change of content, at most 20. Not compared.
    type: list
    elements: dict
    suboptions:
      key:
        description: Type of the source of the file.
        type: str
        choices: [SourceUrl, S3FileUrl, AttachmentReference]
        required: true
      values:
        description: URL or reference of the file.
        type: list
        elements: str
        required: true
      name:
        description: Name of the file.
        type: str
  make_default:
    description:
      - Whether to make the latest version the default version.
      - If an earlier version has the same content, that version becomes the default, because the service does not
        accept the same content twice. With V(false), nothing changes in this case.
    type: bool
    default: true
  force:
    description: Whether to force the deletion, which types such as V(ApplicationConfigurationSchema) require.
    type: bool
    default: false
  shared_with:
    description:
      - Account numbers to share the document with, or V(all) alone. An empty list stops sharing. Changed in batches of
        20.
    type: list
    elements: str
"""

EXAMPLES = r"""
- name: Create a command document and share it with two accounts
  patchtide.hybrid.ssm_document:
    name: contoso-kernel-version
    document_format: YAML
    content:
      schemaVersion: "2.2"
      description: Prints the kernel that runs
      mainSteps:
        - action: aws:runShellScript
          name: kernel
          inputs:
            runCommand: [uname -r]
    shared_with: ["222222222222", "333333333333"]

- name: Create a change calendar that closes around the turn of the year
  patchtide.hybrid.ssm_document:
    name: contoso-freeze
    document_type: ChangeCalendar
    document_format: TEXT
    content: |
      BEGIN:VCALENDAR
      PRODID:-//AWS//Change Calendar 1.0//EN
      VERSION:2.0
      X-CALENDAR-TYPE:DEFAULT_OPEN
      BEGIN:VEVENT
      UID:turn-of-the-year
      DTSTAMP:20261101T000000Z
      DTSTART:20261218T000000Z
      DTEND:20270107T000000Z
      SUMMARY:Freeze
      END:VEVENT
      END:VCALENDAR

- name: Stop sharing the document and delete it
  patchtide.hybrid.ssm_document:
    name: contoso-kernel-version
    state: absent
"""

RETURN = r"""
places:
  description: Account-Regions that succeeded, each with the result.
  returned: always
  type: list
  elements: dict
  contains:
    document:
      description: State of the document after the run, predicted in check mode; empty if it is absent.
      returned: always
      type: dict
      sample:
        name: contoso-kernel-version
        document_type: Command
        document_format: YAML
        content: {schemaVersion: "2.2", mainSteps: []}
        latest_version: "2"
        default_version: "2"
        shared_with: ["222222222222"]
        tags: {}
failed_places:
  description: Account-Regions that failed, each with its error.
  returned: always
  type: list
  elements: dict
"""

from ..module_utils._ansible.content import read_content, render
from ..module_utils._ansible.run import aws_module, run_noun
from ..module_utils._ansible.spec import STATE, TAGS
from ..module_utils._aws.documents import SsmDocuments
from ..module_utils._core.ssm.documents import FORMATS, TYPES, DocumentNoun

TEXT = {"type": "str"}
STRINGS = {"type": "list", "elements": "str"}
REQUIRE = {"name": {**TEXT, "required": True}, "version": TEXT, "require_type": TEXT, "version_name": TEXT}
ATTACHMENT = {
    "key": {**TEXT, "required": True, "choices": ["SourceUrl", "S3FileUrl", "AttachmentReference"]},
    "values": {**STRINGS, "required": True},
    "name": TEXT,
}
SPEC = {
    **STATE,
    **TAGS,
    "name": {**TEXT, "required": True},
    "document_type": {**TEXT, "choices": list(TYPES)},
    "document_format": {**TEXT, "choices": list(FORMATS)},
    "content": {"type": "raw"},
    "display_name": TEXT,
    "target_type": TEXT,
    "version_name": TEXT,
    "requires": {"type": "list", "elements": "dict", "options": REQUIRE},
    "attachments": {"type": "list", "elements": "dict", "options": ATTACHMENT},
    "make_default": {"type": "bool", "default": True},
    "force": {"type": "bool", "default": False},
    "shared_with": STRINGS,
}
MEMBERS = ("name", "document_type", "document_format", "display_name", "target_type", "tags")


def main() -> None:
    module = aws_module(SPEC)
    options = module.params

    def make(sessions, place):
        given = {name: options[name] for name in MEMBERS}
        given["content"] = read_content(options["content"], options["document_format"])
        shared = options["shared_with"]
        given["shared_with"] = None if shared is None else tuple(sorted({account.lower() for account in shared}))
        requires = options["requires"]
        given["requires"] = requires and tuple({k: v for k, v in row.items() if v} for row in requires)
        once = sessions.client("ssm", place, retry=False)
        return DocumentNoun(SsmDocuments(sessions.client("ssm", place), once, render), given, options)

    run_noun(module, "document", make, f"document {options['name']}")


if __name__ == "__main__":
    main()
