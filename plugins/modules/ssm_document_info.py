#!/usr/bin/python
# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: ssm_document_info
short_description: Gather information about AWS Systems Manager documents
version_added: 0.1.0
description:
  - Returns documents and, on request, their content, versions and the accounts they are shared with.
author:
  - The patchtide.hybrid contributors (@patchtide)
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
  - patchtide.hybrid.places.info
  - patchtide.hybrid.attributes.info
options:
  name:
    description: Return only the document with this name.
    type: str
  prefix:
    description: Return only documents whose names begin with this prefix.
    type: str
  document_type:
    description: Return only documents of this type, such as V(Command) or V(ChangeCalendar).
    type: str
  owner:
    description: Owner of the documents.
    type: str
    choices: [Self, Amazon, Public, Private, ThirdParty, All]
    default: Self
  content:
    description: Whether to return the content of the default version. Costs one API call per document.
    type: bool
    default: false
  versions:
    description: Whether to return the versions. Costs one API call per document.
    type: bool
    default: false
  sharing:
    description: Whether to return the accounts the document is shared with. Costs one API call per document.
    type: bool
    default: false
"""

EXAMPLES = r"""
- name: List our change calendars with their content
  patchtide.hybrid.ssm_document_info:
    document_type: ChangeCalendar
    content: true
  register: calendars
"""

RETURN = r"""
documents:
  description: Documents as listed by the service.
  returned: always
  type: list
  elements: dict
  sample:
    - account: "111111111111"
      region: eu-central-1
      name: contoso-freeze
      document_type: ChangeCalendar
      document_format: TEXT
      document_version: "1"
      owner: "111111111111"
      tags: {}
failed_places:
  description: Account-Regions that failed, each with its error.
  returned: always
  type: list
  elements: dict
"""

from ..module_utils._ansible.run import aws_module, run_info
from ..module_utils._aws.documents import SsmDocuments

TEXT = {"type": "str"}
FLAG = {"type": "bool", "default": False}
SPEC = {
    "name": TEXT,
    "prefix": TEXT,
    "document_type": TEXT,
    "owner": {**TEXT, "choices": ["Self", "Amazon", "Public", "Private", "ThirdParty", "All"], "default": "Self"},
    "content": FLAG,
    "versions": FLAG,
    "sharing": FLAG,
}


def main() -> None:
    module = aws_module(SPEC)
    run_info(
        module, "documents", lambda sessions, place: SsmDocuments(sessions.client("ssm", place)).read(module.params)
    )


if __name__ == "__main__":
    main()
