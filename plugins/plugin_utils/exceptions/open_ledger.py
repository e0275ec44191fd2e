# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Opens the exception ledger of a policy or an option: a file or a DynamoDB table."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ...module_utils._aws.exception_table import ExceptionTable, create_table
from ...module_utils._core.arns import parse_arn
from ...module_utils._core.errors import BadInput
from ...module_utils._core.exceptions.ledger import Ledger
from ...module_utils._core.model import Place
from ..aws_options import own_region, to_sessions
from .ledger_file import LedgerFile

_TABLE = "dynamodb:"
_NAME = re.compile(r"[A-Za-z0-9_.-]{3,255}")


def open_ledger(text: str, options: Mapping[str, Any], *, create: bool = False) -> Ledger:
    """Return the ledger: ``dynamodb:NAME``, ``dynamodb:ARN``, or the path of a file.

    :param options: with the AWS connection; read only for a table.
    :param create: create a table that does not exist.
    :raises BadInput: the name is not valid for a table, or the Region is unknown.
    """
    if not text.startswith(_TABLE):
        return LedgerFile(Path(text).expanduser())
    name = text.removeprefix(_TABLE)
    arn = parse_arn(name, "dynamodb", "table")
    table = arn.name if arn else name
    if not _NAME.fullmatch(table):
        raise BadInput("ledger", text, "dynamodb: and the name or ARN of a table, or the path of a file")
    sessions = to_sessions(options)
    region = (arn.region if arn else None) or own_region(options, sessions)
    if not region:
        raise BadInput("region", None, "the Region of the DynamoDB table: set region, AWS_REGION, or give the ARN")
    client = sessions.client("dynamodb", Place(region=region))
    if create:
        create_table(client, table)
    return ExceptionTable(client, table)
