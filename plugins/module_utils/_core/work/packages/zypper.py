# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""zypper: what a host could install, simulated, installed and proved. POSIX sh, and readers of what it prints.

Exit codes below 100 are errors, those from 100 on information: 102 a reboot is suggested, 103 the package manager
itself was updated and must run again, 106 a repository was skipped, 107 a script failed (zypper(8), "EXIT CODES").
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from ...model import Patch
from ..node_answer import words
from .document import Document
from .listing import Held, Listing, Note, PackageRules, matches, to_patch
from .names import PATCH, Package
from .rpm import repositories, unfinished

#: Its XML has everything in one line; ``zypper_xml`` breaks it and keeps the elements that are read.
SHELL = r"""
# --- zypper
zypper_run() { ZYPP_LOCK_TIMEOUT=$lock zypper --non-interactive "$@"; }
zypper_xml() {
  awk 'BEGIN { RS = ">" } { gsub(/[\n\t]+/, " "); sub(/^ +/, "") }
    /<(update|source|issue|solvable|\/?to-[a-z]*) ?/ && !/<update-/ { sub(/^.*</, "<"); print $0 ">" }'
}
zypper_refresh() { zypper_run refresh; }
zypper_updates() { zypper_run --xmlout list-updates "$@" >"$T/zypper"; code=$?; zypper_xml <"$T/zypper"; return $code; }
zypper_patches() { zypper_run --xmlout list-patches >"$T/zypper"; code=$?; zypper_xml <"$T/zypper"; return $code; }
zypper_locks() { sed -n 's/^ *solvable_name: *//p' "$R/etc/zypp/locks" 2>/dev/null; }
zypper_metadata() { # "alias yes|no": whether it has updateinfo
  for folder in "$R"/var/cache/zypp/raw/*/; do
    name=${folder%/}; name=${name##*/}
    [ -d "$folder" ] || continue
    if ls "$folder"repodata/*updateinfo* >/dev/null 2>&1; then echo "$name yes"; else echo "$name no"; fi
  done
}
zypper_versions() { rpm_versions; }
zypper_broken() { rpm_broken; }
zypper_spec() { case $1 in patch:*) echo "$1" ;; *) echo "$1=$3" ;; esac; }
zypper_repair() { rpm_repair; }
zypper_list() {
  part refresh 60 zypper_refresh
  part updates 20000 zypper_updates
  part everything 20000 zypper_updates --all
  part patches 20000 zypper_patches
  part locks 500 zypper_locks
  part metadata 500 zypper_metadata
  part repositories 60 zypper_run --terse repos --uri
  part states 500 rpm_states
  part scripts 500 rpm_scripts
  part broken 60 rpm_broken
  part kernels 40 rpm_kernels
}
zypper_plan() {
  zypper_run --xmlout install --dry-run --auto-agree-with-licenses --no-recommends "$@" \
    >"$T/plan.out" 2>"$T/plan.err" </dev/null
  case $? in 0 | 100 | 101 | 102 | 103 | 106) ;; *) return 1 ;; esac
  zypper_xml <"$T/plan.out" | awk '
    function value(name,  text) {
      if (!match($0, " " name "=\"[^\"]*\"")) return ""
      text = substr($0, RSTART, RLENGTH); sub(/^[^"]*"/, "", text); sub(/"$/, "", text); return text
    }
    /^<to-/ { what = $0; next }
    /^<\/to-/ { what = ""; next }
    /^<solvable / && value("type") == "package" {
      if (what ~ /remove/) print "remove", value("name")
      else if (what ~ /downgrade/) print "downgrade", value("name")
      else if (what != "") print "install", value("name"), value("arch"), value("edition")
    }'
}
zypper_install() {
  for round in 1 2 3; do
    zypper_run install --auto-agree-with-licenses --no-recommends "$@"
    code=$?
    [ $code -eq 103 ] || break
  done
  case $code in 0 | 100 | 101 | 102 | 103 | 106) return 0 ;; esac
  return "$code"
}
zypper_reinstall() { zypper_install --force "$@"; }
zypper_applied() { zypper_run --terse patches; }
zypper_contents() { # of planned patches: each conflicts with older versions of its packages (zypper(8), info)
  sed -n 's/^patch:\([^|]*\)|.*/\1/p' "$T/items" |
    ZYPP_LOCK_TIMEOUT=$lock xargs zypper --non-interactive info --type patch --conflicts
}
"""

#: A package of a patch, as ``zypper info --type patch --conflicts`` has it: ``toy.x86_64 < 1.2-1``.
_CONFLICT = re.compile(r"^ *(?:Conflicts *: *)?([^\s:]+) < (\S+)$")
_ATTRIBUTE = re.compile(r'([a-z-]+)="([^"]*)"')


@dataclass(slots=True)
class _Update:
    values: dict[str, str]
    repository: str = ""
    cves: list[str] = field(default_factory=list)

    @property
    def package(self) -> Package:
        name = self.values.get("name", "")
        if self.values.get("kind") == "patch":
            return Package(f"{PATCH}{name}", "", "")
        return Package(name, self.values.get("arch", ""), self.values.get("edition", ""))


def read_zypper(document: Document, rules: PackageRules) -> Listing:
    """Read what ``zypper_list`` printed. :raises BadAnswer: it makes no sense."""
    updates = [item for item in _updates(document.lines("updates")) if item.values.get("kind") == "package"]
    listed = list(_updates(document.lines("patches")))
    needed = [item for item in listed if item.values.get("status") == "needed"]
    metadata = repositories(document.lines("metadata"))
    locks = [line.strip() for line in document.lines("locks") if line.strip()]
    patches = [_advisory(item) for item in needed]
    unclear = set()
    for item in updates:
        secure = matches(rules.security_sources, item.repository)
        patches.append(to_patch(item.package, security=secure))
        if not secure and metadata.get(item.repository) is False and not matches(rules.other_sources, item.repository):
            unclear.add(words(item.repository, 100))
    offered = {item.package for item in updates}
    held = [_held(item, locks) for item in _updates(document.lines("everything")) if item.package not in offered]
    held += [_locked(_advisory(item)) for item in listed if item.values.get("status") == "unwanted"]
    return Listing(
        manager="zypper",
        patches=tuple(patches),
        held=tuple(held),
        unclear=tuple(sorted(unclear)),
        security_known=True in metadata.values() or not metadata or bool(rules.security_sources),
        broken=dict(unfinished(document)),
        notes=tuple(_notes(document, needed)),
        kernels=_kernels(document, offered),
    )


def _updates(lines: Iterable[str]) -> Iterator[_Update]:
    item: _Update | None = None
    for line in lines:
        values = {key: html.unescape(value) for key, value in _ATTRIBUTE.findall(line)}
        if line.startswith("<update "):
            if item:
                yield item
            item = _Update(values)
        elif item and line.startswith("<source "):
            item.repository = values.get("alias", "")
        elif item and line.startswith("<issue ") and values.get("type") == "cve":
            item.cves.append(values.get("id", ""))
    if item:
        yield item


def _advisory(item: _Update) -> Patch:
    severity = item.values.get("severity", "")
    return to_patch(
        item.package,
        security=item.values.get("category") == "security",
        severity="" if severity in ("none", "unspecified") else severity.capitalize(),
        cves=item.cves,
    )


def _held(item: _Update, locks: Iterable[str]) -> Held:
    patch = to_patch(item.package, security=False)
    if any(fnmatchcase(item.values.get("name", ""), lock) for lock in locks):
        return _locked(patch)
    return Held(patch=patch, why="blocked", text="its dependencies can't be fulfilled, or it comes from another vendor")


def _locked(patch: Patch) -> Held:
    return Held(patch=patch, why="hold", text="locked (zypper addlock)")


def _notes(document: Document, needed: Iterable[_Update]) -> Iterator[Note]:
    asks = [words(item.values.get("name", ""), 60) for item in needed if item.values.get("restart") == "true"]
    if asks:
        yield Note(code="interactive", text=f"patches that ask for a reboot: {', '.join(asks[:10])}")
    if any(document.part(name).rc == 106 for name in ("updates", "patches", "refresh")):
        yield Note(code="repository", text="a repository could not be read and was left out")


def _kernels(document: Document, offered: Iterable[Package]) -> dict[str, str]:
    new = [item for item in offered if re.fullmatch(r"kernel-(default|rt|azure)", item.name)]
    installed = document.lines("kernels")
    found = {"installed": installed[-1] if installed else "", "available": new[-1].version if new else ""}
    return {key: words(value, 100) for key, value in found.items() if value}


def read_contents(lines: Iterable[str]) -> Iterator[tuple[str, str, str]]:
    """Read what ``zypper_contents`` printed; yield patch, package (with or without architecture) and version."""
    patch = ""
    for line in lines:
        if line.startswith("Name ") and ":" in line:
            patch = line.partition(":")[2].strip()
        elif found := _CONFLICT.match(line):
            yield patch, found[1], found[2]
