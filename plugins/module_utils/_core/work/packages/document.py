# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The document that every script of a package manager prints: named parts, each the output of one command.

The host runs commands and wraps what they print; it does not interpret. Reading the parts is left to pure code here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .. import manager_script
from ..node_answer import SIZE, BadAnswer, read_object, words

#: Characters of a line that are kept, here and on the host.
LINE = 1_000

#: Defines ``part`` and ``document``. A part of more than MOST lines says that it is cut. Bytes that are not printable
#: ASCII are dropped. ``T`` is a temporary directory that the script removes.
SHELL = (
    r"""#!/bin/sh
# patchtide:packages:1
# shellcheck disable=SC2012,SC2034 # ls -i is POSIX, stat is not; not every script uses every setting
set -u
LC_ALL=C; export LC_ALL; unset LANGUAGE LANG
HOME=${HOME:-/root}; export HOME
PATH=$PATH:/usr/sbin:/sbin:/usr/bin:/bin
umask 022 # libzypp runs %posttrans with it
R=${PATCHTIDE_ROOT:-}
T=$(mktemp -d) || exit 1
trap 'rm -rf "$T"' EXIT
trap 'exit 1' HUP INT TERM
: >"$T/document"

has() { command -v "$1" >/dev/null 2>&1; }
limit() { seconds=$1; shift; if has timeout; then timeout "$seconds" "$@"; else "$@"; fi; }
# Seconds since the boot: a clock that nobody sets.
now() { read -r up rest <"/proc/uptime"; echo "${up%%.*}"; }
escape=$(printf '\033')
text() { # without colours, which a configuration file may ask for
  sed "s/$escape\[[0-9;]*[A-Za-z]//g; s/$escape(B//g" | tr -cd '\011\012\040-\176' | tr '\011' ' ' | cut -c 1-1000
}
json() { # FILE: its lines as a JSON list
  text <"$1" | sed 's/[\\"]/\\&/g; s/.*/"&"/' |
    awk 'BEGIN { printf "[" } NR > 1 { printf "," } { printf "%s", $0 } END { printf "]" }'
}
add() { # NAME CODE MOST: a part of what is in out and err
  cut=false
  [ "$(wc -l <"$T/out")" -le "$3" ] || cut=true
  head -n "$3" "$T/out" >"$T/kept"; tail -n 30 "$T/err" >"$T/said"
  [ ! -s "$T/document" ] || printf ',' >>"$T/document"
  printf '"%s":{"rc":%s,"cut":%s,"out":%s,"err":%s}' \
    "$1" "$2" $cut "$(json "$T/kept")" "$(json "$T/said")" >>"$T/document"
}
part() { # NAME MOST COMMAND…
  part_name=$1 part_most=$2; shift 2
  "$@" </dev/null >"$T/out" 2>"$T/err"
  add "$part_name" $? "$part_most"
}
document() { printf '{"packages":1,"manager":"%s","parts":{%s}}\n' "$manager" "$(cat "$T/document")"; }
"""
    + manager_script.SHELL
)


@dataclass(frozen=True, slots=True)
class Part:
    """What one command printed. ``rc`` is -1 if the part is missing: the command did not run."""

    rc: int = -1
    out: tuple[str, ...] = ()
    err: tuple[str, ...] = ()
    cut: bool = False

    @property
    def said(self) -> tuple[str, ...]:
        """The lines of both streams."""
        return (*self.err, *self.out)


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """``manager``: ``apt``, ``dnf``, ``yum``, ``zypper``, or ``""`` where the host has none of them."""

    manager: str
    parts: Mapping[str, Part] = field(default_factory=dict)

    def part(self, name: str) -> Part:
        """Return a part, empty if its command did not run."""
        return self.parts.get(name, Part())

    def lines(self, name: str) -> tuple[str, ...]:
        """Return what a command printed. :raises BadAnswer: there was too much of it."""
        found = self.part(name)
        if found.cut:
            raise BadAnswer(f"its {words(name, 40)} is too long: more than {len(found.out)} lines")
        return found.out


def parse_document(output: str) -> Document:
    """Return the document in what a script printed; login banners before it are ignored.

    :raises BadAnswer: there is none.
    """
    lines = [line for line in output[: SIZE + 1].splitlines() if line.startswith('{"packages":')]
    found = read_object(lines[-1]) if lines else None
    if found is None or found.get("packages") != 1 or not isinstance(found.get("parts"), dict):
        said = words(" ".join(output[-600:].split())[-300:])
        raise BadAnswer(f"the package manager's answer is cut short: {said}" if said else "the host printed nothing")
    manager = found.get("manager")
    parts = {name: to_part(item) for name, item in found["parts"].items()}
    return Document(manager=manager if isinstance(manager, str) else "", parts=parts)


def to_part(data: Any) -> Part:
    """Read one part; what is of the wrong kind is left out."""
    if not isinstance(data, dict):
        return Part()
    rc = data.get("rc")
    return Part(
        rc=rc if isinstance(rc, int) and not isinstance(rc, bool) else -1,
        out=_lines(data.get("out")),
        err=_lines(data.get("err")),
        cut=data.get("cut") is True,
    )


def _lines(data: Any) -> tuple[str, ...]:
    return tuple(line[:LINE] for line in data if isinstance(line, str)) if isinstance(data, list) else ()
