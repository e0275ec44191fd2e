# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where an install override list is kept, and its name there, which is the digest of its content. Pure."""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import dataclass

from ..arns import parse_arn
from ..errors import BadInput

#: Maximum length of an address. The node copies it into each row of patch state that it uploads.
MOST = 80
#: The parameter takes no backtick, quotes or "$" (user guide, InstallOverrideList); fewer characters are needed here.
_NAME, _PREFIX = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]"), re.compile(r"[A-Za-z0-9._/-]*")
_URL = re.compile(r"https://[A-Za-z0-9.-]+(:[0-9]+)?(/[A-Za-z0-9._~-]+)*/?")
#: Length of a name that ``to_name`` returns.
_NAME_LENGTH = 43


@dataclass(frozen=True, slots=True, kw_only=True)
class Bucket:
    """A bucket for the lists of one Region. ``account`` writes them; without it, the caller's own identity does."""

    name: str
    prefix: str = ""
    kms_key: str = ""
    account: str = ""

    def key(self, name: str) -> str:
        """Return the key of a list's object."""
        return "/".join(part for part in (self.prefix.strip("/"), name) if part)


def to_name(content: str) -> str:
    """Return the SHA-256 of a list as 43 characters that are valid in an address."""
    digest = hashlib.sha256(content.encode()).digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def to_address(bucket: Bucket | None, list_url: str, name: str) -> str:
    """Return the value of InstallOverrideList; "" if no place is known.

    Private objects are read as ``s3://bucket/key`` only (user guide, InstallOverrideList).
    """
    if list_url:
        return f"{list_url.rstrip('/')}/{name}"
    return f"s3://{bucket.name}/{bucket.key(name)}" if bucket else ""


def check_bucket(bucket: Bucket, path: str, region: str) -> None:
    """:raises BadInput: an address in the bucket would be too long or have invalid characters, or its key is elsewhere.

    The key has to be in the Region of the bucket (S3 user guide, "Using server-side encryption with AWS KMS keys").
    """
    if not _NAME.fullmatch(bucket.name):
        raise BadInput(f"{path}.name", bucket.name, "the name of an S3 bucket")
    if not _PREFIX.fullmatch(bucket.prefix):
        raise BadInput(f"{path}.prefix", bucket.prefix, "letters, digits and . _ / -")
    if (key := parse_arn(bucket.kms_key)) and (key.service, key.region) != ("kms", region):
        raise BadInput(f"{path}.kms_key", bucket.kms_key, f"a key in {region}, by its ARN, ID or alias")
    over = len(to_address(bucket, "", "x" * _NAME_LENGTH)) - MOST
    if over > 0:
        expected = f"at most {len(bucket.name + bucket.prefix) - over} characters of name and prefix together"
        raise BadInput(f"{path}.prefix" if bucket.prefix else f"{path}.name", bucket.prefix or bucket.name, expected)


def check_list_url(url: str, path: str) -> None:
    """:raises BadInput: it is not a plain https address, or too long."""
    if url and not _URL.fullmatch(url):
        raise BadInput(path, url, "an https address without credentials, query or fragment")
    if url and len(to_address(None, url, "x" * _NAME_LENGTH)) > MOST:
        raise BadInput(path, url, f"at most {MOST - _NAME_LENGTH - 1} characters")
