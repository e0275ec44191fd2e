# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A POSIX sh script in a frame: it runs as a whole or not, its output is bounded, and its end is proved.

The frame travels over the standard input of ``/bin/sh -s``, so nothing of it is in a process list. It needs ``head -c``
and ``cat`` on the host, no Python.

- A connection cut in mid-send runs nothing: sh parses a compound command to its end before it runs it (POSIX, Shell
  Command Language 2.9.4), and the group that calls the script ends on the last line.
- The exit code travels as text. An ``ssh`` that ends with 255 can then only mean the connection, not the script.
- Text before the first mark (login banners, profile scripts, become prompts) is dropped.
- What exceeds the limit is read and thrown away, so that the script does not die of a closed pipe.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_FRAME = """\
patchtide_script() (
{script}
)
patchtide_bound() {{ head -c {bound}; cat >/dev/null; }}
{{
{{
exec 5>&1 6>&2
printf '%s\\n' '{mark} begin'
patchtide_code=$(
exec 3>&1
{{
{{ patchtide_script 3>&- 4>&- 5>&- 6>&-; printf '%s\\n' "$?" >&3; }} 2>&4 | patchtide_bound >&5
}} 4>&1 | patchtide_bound >&6
)
printf '\\n%s\\n' '{mark} end '"$patchtide_code"
}} {stdin}
}}
"""


@dataclass(frozen=True)
class Output:
    """What a framed script printed; ``rc`` is None if its end was not seen."""

    rc: int | None
    stdout: str
    truncated: bool


def to_framed(script: str, mark: str, *, stdin: str = "", limit: int) -> str:
    """Return the text to send to ``/bin/sh -s``.

    :param mark: a word that occurs nowhere else, of letters, digits and dashes.
    :param stdin: text for the script's standard input; a newline is added where the last one is missing.
    :param limit: bytes of stdout and of stderr each that the host may send; it sends one more to show that it has more.
    """
    closed = stdin if not stdin or stdin.endswith("\n") else stdin + "\n"
    feed = f"<<'{mark}'\n{closed}{mark}" if stdin else "</dev/null"
    return _FRAME.format(script=script, mark=mark, bound=limit + 1, stdin=feed)


def from_framed(stdout: str, mark: str, limit: int) -> Output | None:
    """Read what came back; None if the script did not begin."""
    _noise, begun, text = stdout.partition(f"{mark} begin\n")
    if not begun:
        return None
    end = re.search(rf"\n{re.escape(mark)} end (\d+)\n", text)
    body = text[: end.start()] if end else text
    return Output(int(end[1]) if end else None, body[:limit], len(body) > limit)
