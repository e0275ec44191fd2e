# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What dnf, yum and zypper share: the rpm database. POSIX sh, and its reader."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from .names import Package

#: A failed %preun leaves the old version beside the new one (rpm(8), "rpm --rebuilddb" does not repair it).
SHELL = r"""
# --- rpm
rpm_states() { # packages that are there twice though only one may be, and unfinished transactions
  rpm -qa --qf '%{name}|%{arch}|%{epoch}:%{version}-%{release}\n' | sed 's/|(none):/|/; s/|0:/|/' |
    grep -v '^\(kernel\|gpg-pubkey\|kmod-\|installonlypkg\)' | sort |
    awk -F '|' '{ key = $1 "|" $2 } key == last { print "D|" $0 } { last = key }'
}
rpm_versions() {
  rpm -qa --qf '%{name} %{arch} %{epoch}:%{version}-%{release} ii\n' |
    sed 's/ (none):/ /; s/ 0:/ /' | grep -v '^gpg-pubkey ' | sort
}
rpm_kernels() {
  rpm -qa --qf '%{name} %{version}-%{release}.%{arch}\n' 'kernel*' |
    awk '$1 ~ /^kernel(-core|-uek|-default|-rt)?$/ { print $2 }' | sort -u | sort -V
}
rpm_broken() {
  bad=0
  limit 120 rpm --verifydb >"$T/verifydb" 2>&1 || { bad=1; head -n 5 "$T/verifydb"; echo 'rpm --verifydb failed'; }
  rpm -qa >/dev/null 2>"$T/verifydb" || { bad=1; head -n 5 "$T/verifydb"; }
  for file in "$R"/var/lib/yum/transaction-all*; do
    [ ! -e "$file" ] || { bad=1; echo "an unfinished yum transaction: $file"; }
  done
  return $bad
}
# The database is copied before it is rebuilt.
rpm_repair() {
  where=$(rpm --eval '%_dbpath')
  cp -a "$where" "$where.patchtide.$$" && rpm --rebuilddb
}
"""


def repositories(lines: Iterable[str]) -> dict[str, bool]:
    """Read ``name yes|no``: whether a repository says which updates are security updates."""
    pairs = (line.split() for line in lines)
    return {pair[0]: pair[1] == "yes" for pair in pairs if len(pair) == 2}


def doubled(lines: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Return packages that are installed twice though only one may be."""
    for line in lines:
        fields = line.split("|")
        if len(fields) == 4 and fields[0] == "D":
            yield Package(*fields[1:]).id, "installed twice, the older one was not removed"
