#!/usr/bin/python
# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: ssm_document
short_description: Manage documents of AWS Systems Manager
version_added: 0.1.0
description:
  - Creates documents for commands, automations, change calendars and more, adds versions, chooses the default one and
    shares them.
  - Content is compared as data, so layout, quotes and the order of keys are no difference.
  - Options that are not given are left as they are.
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
    description: V(present) creates or updates, V(absent) stops sharing and deletes all versions.
    type: str
    choices: [present, absent]
    default: present
  document_type:
    description:
      - What the document is for. V(Command) for a new document where it is not given.
      - The service can't change it, so a change deletes the document and creates it again; the diff says so.
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
      - CloudFormation
      - ConformancePackTemplate
      - QuickSetup
  document_format:
    description: How the service keeps the content. V(TEXT) is for change calendars, in iCalendar form. V(JSON) where
      it is not given.
    type: str
    choices: [JSON, YAML, TEXT]
  content:
    description: The content as a dictionary, or as JSON, YAML or iCalendar text, at most 64 KB. Needed for a new
      document.
    type: raw
  display_name:
    description: Name that people see.
    type: str
  target_type:
    description: Type of resource that it can run on, such as V(/AWS::EC2::Instance).
    type: str
  version_name:
    description: Name of the version that a change of content makes. Not compared.
    type: str
  requires:
    description: Documents that this one needs. Only sent for a new document.
    type: list
    elements: dict
    suboptions:
      name:
        description: Name of the other document.
        type: str
        required: true
      version:
        description: Its version.
        type: str
      require_type:
        description: Kind of need.
        type: str
      version_name:
        description: Name of its version.
        type: str
  attachments:
    description: Files that go with the version that a change of content makes, at most 20. Not compared.
    type: list
    elements: dict
    suboptions:
      key:
        description: Where they come from.
        type: str
        choices: [SourceUrl, S3FileUrl, AttachmentReference]
        required: true
      values:
        description: One URL or reference.
        type: list
        elements: str
        required: true
      name:
        description: Name of the file.
        type: str
  make_default:
    description: Whether the latest version becomes the default one.
    type: bool
    default: true
  shared_with:
    description: Accounts that may use it, or V(all). An empty list stops sharing. Changed in batches of 20.
    type: list
    elements: str
"""

EXAMPLES = r"""
- name: One command document for the whole estate
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

- name: Nothing is patched around the turn of the year
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

- name: Delete it, whoever it is shared with
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
      description: The document as it is, or would be in check mode; empty when it is absent.
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
        given["shared_with"] = None if shared is None else tuple(sorted(account.lower() for account in shared))
        requires = options["requires"]
        given["requires"] = requires and tuple({k: v for k, v in row.items() if v} for row in requires)
        once = sessions.client("ssm", place, retry=False)
        return DocumentNoun(SsmDocuments(sessions.client("ssm", place), once, render), given, options)

    run_noun(module, "document", make, f"document {options['name']}")


if __name__ == "__main__":
    main()
