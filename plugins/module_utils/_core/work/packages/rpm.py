# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What dnf, yum and zypper share: the rpm database. POSIX sh, and its reader."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ..node_answer import words
from .document import Document
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
# A failed scriptlet leaves no trace in the database, and dnf ends with 0; nor does a transaction that was killed before
# its scriptlets ran. Both are remembered with the transaction that installed the package: a reinstall clears them.
failed_scripts=$R/var/lib/patchtide/failed-scriptlets
rpm_as() { # the package's name, architecture, version and transaction
  rpm --qf '%{name}|%{arch}|%{epoch}:%{version}-%{release}|%{installtid}\n' "$@" 2>/dev/null |
    sed 's/|(none):/|/; s/|0:/|/'
}
rpm_scripts() { # "name|arch|version|transaction|what rpm said" of packages that are still installed as they were
  [ -s "$failed_scripts" ] || return 0
  rpm_as -qa >"$T/as"
  awk -F '|' 'NR == FNR { as[$0] = 1; next } ($1 "|" $2 "|" $3 "|" $4) in as' "$T/as" "$failed_scripts"
}
rpm_transactions() { rpm -qa --qf '%{installtid}\n' | sort -u; }
rpm_interrupted() { # FILE: the transactions that there were before the interrupted step
  rpm_scripts >"$T/scripts"
  rpm_as -qa | awk -F '|' 'NR == FNR { old[$0] = 1; next }
    !($4 in old) { print $0 "|its transaction was interrupted: whether its scriptlets ran is not known" }' "$1" - \
    >>"$T/scripts"
  rpm_keep
}
rpm_remember() { # FILE…: what rpm, dnf or zypper printed
  rpm_scripts >"$T/scripts"
  cat "$@" 2>/dev/null | text | awk '
    function tell(pattern, before) {
      if (!match($0, pattern)) return 0
      nevra = substr($0, RSTART, RLENGTH); sub(before, "", nevra); sub(/([)]|[.]rpm ).*/, "", nevra)
      print nevra "|" $0
      return 1
    }
    tell("%[a-z]+[(][^)]*[)] script(let)? failed", "^[^(]*[(]") { next }
    tell("[^ ]+[.]rpm %[a-z]+ script failed", "^$") { next } # libzypp, of %posttrans
    /return code 0/ { next } # dnf5#462
    { tell("rror in %?[a-z-]+ scriptlet: [^ ]+", "^.*: ") } # dnf 5' | sort -u | while IFS='|' read -r nevra said; do
      as=$(rpm_as -q -- "$nevra")
      case $as in *\|*\|*\|*) ;; *) continue ;; esac # it is not installed
      grep -qF "$as|" "$T/scripts" || printf '%s|%s\n' "$as" "$said" >>"$T/scripts"
    done
  rpm_keep
}
rpm_keep() {
  mkdir -p "${failed_scripts%/*}"
  cp "$T/scripts" "$failed_scripts.$$" && mv "$failed_scripts.$$" "$failed_scripts"
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


def failed_scriptlets(lines: Iterable[str]) -> dict[Package, str]:
    """Return what went wrong with the scriptlets of packages that the database has."""
    rows = (line.split("|", 4) for line in lines)
    return {Package(*row[:3]): words(row[4], 200) for row in rows if len(row) == 5}


def unfinished(document: Document) -> Iterator[tuple[str, str]]:
    """Return installed packages whose installation was not completed, with what is wrong."""
    yield from doubled(document.lines("states"))
    for package, said in failed_scriptlets(document.lines("scripts")).items():
        yield package.id, f"not completely installed: {said}"


def doubled(lines: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Return packages that are installed twice though only one may be."""
    for line in lines:
        fields = line.split("|")
        if len(fields) == 4 and fields[0] == "D":
            yield Package(*fields[1:]).id, "installed twice, the older one was not removed"
