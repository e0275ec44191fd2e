# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a host needs a reboot: what each source on it says, and what they come to together.

Absent is not "no": Debian's flag file comes from hooks that may not be installed. needs-restarting compares install
times with the boot time and says "yes" for ever where a clock was wrong (rpm-software-management/dnf5#2955), so that
after a reboot it is a note, not a need.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ..node_answer import words

#: Lines "source|yes, no or unknown|detail".
SHELL = r"""
# --- reboot need, from every source that there is
newest_kernel() {
  running=$(uname -r)
  for image in "$R"/boot/vmlinuz-* "$R"/lib/modules/*/vmlinuz; do
    [ -e "$image" ] || continue
    name=${image#"$R"/boot/vmlinuz-}; name=${name#"$R"/lib/modules/}; name=${name%/vmlinuz}
    case $name in *rescue*) continue ;; esac
    [ "$(echo "$name" | sed 's/^[^a-z]*//')" = "$(echo "$running" | sed 's/^[^a-z]*//')" ] && echo "$name"
  done | sort -V | tail -n 1
}
reboot_need() {
  if [ -e /run/reboot-required ] || [ -e /var/run/reboot-required ]; then
    echo "reboot-required|yes|$(sort -u /run/reboot-required.pkgs 2>/dev/null | tr '\n' ' ')"
  elif [ "$kind" = apt ]; then echo 'reboot-required|no|'; fi
  if has needrestart; then
    case $(limit 60 needrestart -b -k 2>/dev/null | sed -n 's/^NEEDRESTART-KSTA: *//p') in
      1) echo 'needrestart|no|' ;; 2 | 3) echo 'needrestart|yes|a newer kernel is installed' ;;
      *) echo 'needrestart|unknown|' ;;
    esac
  fi
  if [ "$kind" = dnf ]; then
    for tool in "$dnf needs-restarting" needs-restarting; do
      has "${tool%% *}" || continue
      # shellcheck disable=SC2086 # the tool may be two words
      said=$(limit 90 $tool -r 2>&1); code=$?
      # Exit status 1 also means "no such command", so the sentence counts too.
      case $code:$said in
        0:*) echo 'needs-restarting|no|'; break ;;
        1:*[Rr]eboot\ is\ required* | 1:*[Rr]eboot\ should\ be*)
          echo "needs-restarting|yes|$(echo "$said" | sed -n 's/^ *\* *//p' | head -n 5 | tr '\n' ' ')"; break ;;
      esac
    done
  fi
  if [ "$kind" = zypper ]; then
    limit 60 zypper --non-interactive needs-rebooting >/dev/null 2>&1
    case $? in
      102) echo 'needs-rebooting|yes|' ;; 0) echo 'needs-rebooting|no|' ;; *) echo 'needs-rebooting|unknown|' ;;
    esac
  fi
  newest=$(newest_kernel)
  if [ -z "$newest" ]; then echo 'kernel|unknown|no kernel is installed'
  elif [ "$newest" = "$(uname -r)" ]; then echo "kernel|no|$newest"
  else echo "kernel|yes|$(uname -r) runs, $newest is installed"; fi
}
"""

#: Sources that compare clocks.
_BY_CLOCK = ("needs-restarting",)


@dataclass(frozen=True, slots=True, kw_only=True)
class RebootNeed:
    """``pending`` is ``None`` where no source can tell. ``doubts``: what was not believed, and why."""

    pending: bool | None
    reasons: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()


def reconcile(lines: Iterable[str], *, rebooted: bool = False) -> RebootNeed:
    """Return what the sources come to: one "yes" counts.

    :param rebooted: the host has just been rebooted, proved by its boot id, and nothing was installed since. A source
        that compares clocks is then not believed.
    """
    answers = [fields for line in lines if len(fields := line.split("|", 2)) == 3]
    said = {source: (answer, words(detail.strip(), 200)) for source, answer, detail in answers}
    yes = {source: detail for source, (answer, detail) in said.items() if answer == "yes"}
    doubted = {source for source in yes if rebooted and source in _BY_CLOCK}
    reasons = tuple(_sentence(source, yes[source]) for source in yes if source not in doubted)
    doubts = tuple(
        f"{_sentence(source, yes[source])}, though the host has just been rebooted: a clock was wrong"
        for source in doubted
    )
    known = [answer for answer, _detail in said.values() if answer in ("yes", "no")]
    return RebootNeed(pending=bool(reasons) if known else None, reasons=reasons, doubts=doubts)


def _sentence(source: str, detail: str) -> str:
    return f"{source}: {detail}" if detail else f"{source} says so"
