# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a host looked like before the work and after it: system, kernel, failed services, listening ports, mounts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ..node_answer import words

#: Sorted lines "kind|what". Ports from /proc: no tool is needed; ephemeral ones are left out.
SHELL = r"""
# --- capture: what to compare before and after
listening() {
  read -r ephemeral rest </proc/sys/net/ipv4/ip_local_port_range
  for file in tcp tcp6; do
    awk '$4 == "0A" { n = split($2, at, ":"); print at[n] }' "/proc/net/$file" 2>/dev/null
  done | sort -u | while read -r port; do
    port=$(printf '%d' "0x$port")
    [ "$port" -ge "$ephemeral" ] || echo "port|tcp $port"
  done
}
capture() {
  {
    echo "system|$(os_value PRETTY_NAME)"
    echo "kernel|$(uname -r)"
    echo "kernel_installed|$("${kind}_kernels" 2>/dev/null | tail -n 1)"
    awk '$2 !~ "^/(proc|sys|dev|run|snap|var/lib/docker|var/lib/containers)(/|$)" {
      print "mount|" $2 " " $3 }' /proc/mounts
    listening
    if has systemctl && [ -d /run/systemd/system ]; then
      limit 10 systemctl --failed --no-legend --plain --no-pager 2>/dev/null | awk '{ print "failed_unit|" $1 }'
    fi
  } | sort -u
}
zypper_kernels() { rpm_kernels; }
dnf_kernels() { rpm_kernels; }
"""
#: Kinds of which a host has one value, and those of which it has several.
_ONE, _MANY = ("system", "kernel", "kernel_installed"), ("failed_unit", "port", "mount")
_MOST = 50


def differences(before: Iterable[str], after: Iterable[str]) -> dict[str, Mapping[str, object]]:
    """Return what changed, by kind: ``before`` and ``after``, or what ``came`` and what is ``gone``."""
    old, new = _by_kind(before), _by_kind(after)
    found: dict[str, Mapping[str, object]] = {}
    for kind in _ONE:
        was, now = next(iter(old.get(kind, ())), ""), next(iter(new.get(kind, ())), "")
        if was != now:
            found[kind] = {"before": was, "after": now}
    for kind in _MANY:
        was_set, now_set = old.get(kind, set()), new.get(kind, set())
        if was_set != now_set:
            found[f"{kind}s"] = {"came": sorted(now_set - was_set)[:_MOST], "gone": sorted(was_set - now_set)[:_MOST]}
    return found


def _by_kind(lines: Iterable[str]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for line in lines:
        kind, separator, what = line.partition("|")
        if separator and what:
            found.setdefault(kind, set()).add(words(what, 200))
    return found
