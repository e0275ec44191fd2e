# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Several POSIX sh scripts in one, so that a host takes one connection for all of them. Pure.

Each runs in a subshell, and only if the one before ended with 0. A line after each part tells its exit code.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

_PART = """\
(
{script}
)
patchtide_part=$?
printf '\\n%s %s\\n' '{mark}' "$patchtide_part"
[ "$patchtide_part" = 0 ] || exit "$patchtide_part"
"""


#: The script is not on stdin, which what it calls would read; nor an argument, whose size is limited (execve(2)).
_LIMITED = """\
timeout -k 5 {seconds} /bin/sh /dev/fd/9 9<<'{mark}-script'
{script}
{mark}-script
"""


@dataclass(frozen=True, slots=True)
class Part:
    """What one script printed to stdout, and how it ended; ``rc`` is None if its end was not seen."""

    rc: int | None
    stdout: str


def to_joined(scripts: Sequence[str], mark: str) -> str:
    """Return one script. :param mark: a word of letters, digits and dashes that no script prints."""
    return "".join(_PART.format(script=script, mark=mark) for script in scripts)


def to_limited(script: str, seconds: int, mark: str) -> str:
    """Return a script that ends this one after so many seconds, with the exit code 124 as timeout(1) does."""
    return _LIMITED.format(script=script, seconds=seconds, mark=mark)


def from_joined(stdout: str, mark: str) -> list[Part]:
    """Return the parts that were begun; the last one may have been cut off."""
    *pieces, rest = re.split(rf"\n{re.escape(mark)} (\d{{1,3}})\n", stdout)
    parts = [Part(int(code), text) for text, code in zip(pieces[::2], pieces[1::2], strict=True)]
    return [*parts, Part(None, rest)] if rest.strip() else parts
