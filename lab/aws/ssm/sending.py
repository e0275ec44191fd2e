# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What SendCommand refuses before it looks at any node: version, hash, bucket, notification (API reference, errors)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from moto.s3.models import s3_backends

from .documents import Document
from .operations import Request, SsmError

if TYPE_CHECKING:
    from .backend import Place


def bucket_exists(name: str) -> bool:
    """Names of buckets are unique across all accounts of a partition."""
    return any(name in partitions["aws"].buckets for partitions in list(s3_backends.values()))


def check_sending(place: Place, request: Request, document: Document) -> None:
    version = request.get("DocumentVersion", "$DEFAULT")
    if not document.has_version(version):
        raise SsmError("InvalidDocumentVersion", f"The document version {version} isn't valid or doesn't exist.")
    wanted = request.get("DocumentHash")
    if wanted is not None and wanted.lower() != document.digest(request.get("DocumentHashType", "Sha256")):
        # which of its errors the operation answers is not documented; the hash is part of what names the document
        raise SsmError("InvalidDocument", f"The hash of {document.name} is another one.")
    bucket = request.get("OutputS3BucketName")
    if bucket is not None and not bucket_exists(bucket):
        # InvalidOutputFolder: "The S3 bucket doesn't exist."
        raise SsmError("InvalidOutputFolder", f"The S3 bucket {bucket} doesn't exist.")
    _check_notification(request.get("NotificationConfig"), request.get("ServiceRoleArn", ""))


def _check_notification(config: dict[str, Any] | None, role: str) -> None:
    if config is None:
        return
    if not config.get("NotificationArn", "").startswith("arn:"):
        # InvalidNotificationConfig: "Verify that a valid Amazon Resource Name (ARN) was provided for an Amazon SNS
        # topic."
        raise SsmError("InvalidNotificationConfig", "NotificationArn is no ARN of an SNS topic.")
    if not role:
        # InvalidRole: "Also verify that you specified an IAM role for notifications"
        raise SsmError("InvalidRole", "ServiceRoleArn is required for notifications.")
