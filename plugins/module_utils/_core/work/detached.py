# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Work that goes on by itself on a Linux host: begun once under a token, looked up, stopped at its limit. Pure scripts.

A directory on the host belongs to the token. The runner's first act is to make ``began`` in it, so that beginning may
be repeated and runs once; the look-up makes "never begun" final by making ``began`` itself. The exit code appears last,
by a rename. systemd runs the work where it is the host's init (the unit ends with its whole control group), ``setsid``
elsewhere; ``timeout`` is the limit in both. The work reads nothing and has no terminal. Its script stays in the
directory: called with ``resume`` it undoes what must not last, also after it was killed.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..errors import PatchtideError
from .node_answer import words

FOLDER = "/var/lib/patchtide"
#: Bytes that are kept of the end of each stream.
TAIL = 4000
#: Days after which the directories of ended work are removed from a host.
KEPT_DAYS = 30
_FIELD = re.compile(r"(state|rc|boot_before|boot_now)=([A-Za-z0-9-]{0,64})")
_STATES = frozenset({"starting", "running", "ended", "absent", "unknown", "begun", "refused", "stopped"})

_BEGIN = r"""#!/bin/sh
# patchtide:begin:1
set -u
umask 077
d=@FOLDER@/@NAME@
fail() { echo "state=refused"; echo "$1" >&2; exit 1; }
mkdir -p "$d" || fail "can not make $d"
find @FOLDER@ -mindepth 1 -maxdepth 1 -type d -name '????????????????????????' -mtime +@DAYS@ \
  -exec rm -rf {} + 2>/dev/null
if [ ! -e "$d/run.sh" ]; then
  cat >"$d/work.$$" <<'@MARK@'
case ${1:-} in @MODES@) ;; *) exit 0 ;; esac
@WORK@
@MARK@
  [ -s "$d/work.$$" ] && mv "$d/work.$$" "$d/work.sh" || fail "can not write $d/work.sh"
  cat >"$d/run.$$" <<'@MARK@'
d=@FOLDER@/@NAME@
mkdir "$d/began" 2>/dev/null || exit 0
echo $$ >"$d/began/pid"
cut -d' ' -f22 "/proc/$$/stat" >"$d/began/start"
cat /proc/sys/kernel/random/boot_id >"$d/began/boot.new"
mv "$d/began/boot.new" "$d/began/boot"
timeout -k 30 @SECONDS@ /bin/sh "$d/work.sh" </dev/null >"$d/out" 2>"$d/err"
echo $? >"$d/rc.new"
sync
mv "$d/rc.new" "$d/rc"
@MARK@
  [ -s "$d/run.$$" ] && mv "$d/run.$$" "$d/run.sh" || fail "can not write $d/run.sh"
fi
if [ -d /run/systemd/system ] && command -v systemd-run >/dev/null 2>&1; then
  start() {
    systemd-run --quiet --unit="patchtide-@NAME@" --property=KillMode=control-group "$@" \
      /bin/sh "$d/run.sh" </dev/null >&2
  }
  # Old systemd knows no ExecStopPost here (219); then the look resumes what was paused.
  start --property=ExecStopPost="/bin/sh $d/work.sh resume" || [ -e "$d/began" ] || start ||
    [ -e "$d/began" ] || systemctl --quiet is-active "patchtide-@NAME@" || fail "systemd-run refused the work"
else
  setsid /bin/sh "$d/run.sh" </dev/null >/dev/null 2>&1 &
fi
echo "state=begun"
"""

_LOOK = r"""#!/bin/sh
# patchtide:look:1
set -u
d=@FOLDER@/@NAME@
boot=$(cat /proc/sys/kernel/random/boot_id)
tell() {
  echo "state=$1"
  [ ! -e "$d/rc" ] || echo "rc=$(cat "$d/rc")"
  [ ! -e "$d/began/boot" ] || echo "boot_before=$(cat "$d/began/boot")"
  echo "boot_now=$boot"
  for stream in out err; do
    echo "@@$stream"
    [ ! -e "$d/$stream" ] || tail -c @TAIL@ "$d/$stream"
    echo
  done
  proof=
  case @PROVE@:$1 in
    yes:ended | yes:unknown)
      proof=$(timeout 240 /bin/sh "$d/work.sh" prove </dev/null 2>/dev/null)
      printf '@@proof\n%s\n' "$proof" ;;
  esac
  case $1 in starting | running) exit 1 ;; esac
  case $proof in *'|yes|'*) exit 2 ;; esac
  [ "@REBOOTED@" = no ] || [ "$(cat "$d/began/boot" 2>/dev/null)" != "$boot" ] || exit 3
  exit 0
}
[ ! -e "$d/rc" ] || tell ended
if [ ! -d "$d/began" ]; then
  [ "@FINAL@" = yes ] || tell starting
  umask 077
  mkdir -p "$d" && mkdir "$d/began" 2>/dev/null && : >"$d/began/taken"
fi
[ ! -e "$d/began/taken" ] || tell absent
[ -e "$d/began/boot" ] || tell starting
[ "$(cat "$d/began/boot")" = "$boot" ] || tell unknown
pid=$(cat "$d/began/pid")
state=$(sed 's/^.*) //' "/proc/$pid/stat" 2>/dev/null)
ours=no
[ "$(cut -d' ' -f22 "/proc/$pid/stat" 2>/dev/null)" != "$(cat "$d/began/start")" ] || ours=yes
case $ours:$state in yes:Z*) ;; yes:*) tell running ;; esac # a zombie has ended; not every container's init reaps it
[ ! -e "$d/rc" ] || tell ended
# The runner was killed alone, and what it started goes on in its session. No new process gets that number meanwhile.
if [ -z "$state" ] || [ $ours = yes ]; then
  cat /proc/[0-9]*/stat 2>/dev/null | awk -v session="$pid" '
    { sub(/.*[)] /, ""); if ($4 == session && $1 != "Z") found = 1 } END { exit !found }' && tell running
fi
tell unknown
"""

_STOP = r"""#!/bin/sh
# patchtide:stop:1
d=@FOLDER@/@NAME@
if [ -d /run/systemd/system ] && systemctl --quiet is-active "patchtide-@NAME@" 2>/dev/null; then
  systemctl stop "patchtide-@NAME@"
elif [ -e "$d/began/pid" ]; then
  session=$(cat "$d/began/pid")
  for signal in TERM KILL; do
    cat /proc/[0-9]*/stat 2>/dev/null | awk -v session="$session" '
      { pid = $1; sub(/.*[)] /, ""); if ($4 == session) print pid }' | while read -r pid; do
      kill -s "$signal" "$pid" 2>/dev/null
    done
    sleep 1
  done
  [ ! -e "$d/work.sh" ] || timeout 60 /bin/sh "$d/work.sh" resume </dev/null >/dev/null 2>&1
fi
echo "state=stopped"
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What a host says about detached work.

    :param state: ``starting``, ``running``, ``ended``, ``absent`` (never begun, and never will), ``unknown`` (it began,
        and nobody knows how it ended), ``begun``, ``refused`` or ``stopped``.
    :param rc: its exit code, once it ended; 124 and 137 where the limit struck.
    :param proof: what the work's script prints when it is asked to prove what it did.
    """

    state: str
    rc: int | None = None
    boot_before: str = ""
    boot_now: str = ""
    out: str = ""
    err: str = ""
    proof: str = ""


def name_of(token: str) -> str:
    """Return the name of a token's directory and unit: the token itself may hold anything."""
    return hashlib.sha256(token.encode()).hexdigest()[:24]


def begin_script(token: str, work: str, seconds: int, *, modes: Sequence[str] = ()) -> str:
    """Return the script that begins ``work``, a POSIX sh script, once, with a limit.

    :param modes: arguments that it understands, ``prove`` and ``resume``; called with another one, it does nothing.
    """
    values = {"SECONDS": str(int(seconds)), "DAYS": str(KEPT_DAYS), "MODES": " | ".join(("''", *modes))}
    return _fill(_BEGIN, token, WORK=work.rstrip("\n"), **values)


def look_script(token: str, *, final: bool, prove: bool = False, rebooted: bool = False) -> str:
    """Return the script that looks at work. It ends with 0 once nothing more is to come: the work is over or never
    began, what it proves names no source that wants a reboot, and the reboot that it requested has happened.

    :param final: what has not begun by now must never begin. :param prove: once it no longer runs, call the work's
        script with the argument ``prove``. :param rebooted: the work is a reboot.
    """
    flags = {"FINAL": final, "PROVE": prove, "REBOOTED": rebooted}
    return _fill(_LOOK, token, TAIL=str(TAIL), **{name: "yes" if on else "no" for name, on in flags.items()})


def stop_script(token: str) -> str:
    """Return the script that ends the work's processes."""
    return _fill(_STOP, token)


def _fill(script: str, token: str, **more: str) -> str:
    name = name_of(token)
    values: Mapping[str, str] = {"FOLDER": FOLDER, "NAME": name, "MARK": f"PATCHTIDE_{name}", **more}
    return re.sub(r"@([A-Z]+)@", lambda match: values.get(match[1], match[0]), script)


def parse_look(output: str) -> Look:
    """Read what one of the scripts printed. :raises PatchtideError: it is none of theirs."""
    head, _separator, rest = output.partition("@@out\n")
    matches = (_FIELD.fullmatch(line.strip()) for line in head[-TAIL:].splitlines())
    found = {match[1]: match[2] for match in matches if match}
    if found.get("state") not in _STATES:
        raise PatchtideError(f"the host did not say how the work goes: {words(output.strip()[-200:])!r}")
    rest, _separator, proof = rest.partition("@@proof\n")
    out, _separator, err = rest.partition("@@err\n")
    code = found.get("rc", "")
    return Look(
        state=found["state"],
        rc=int(code) if code.isdigit() and len(code) < 6 else None,
        boot_before=found.get("boot_before", ""),
        boot_now=found.get("boot_now", ""),
        out=out[-TAIL:].strip(),
        err=err[-TAIL:].strip(),
        proof=proof,
    )
