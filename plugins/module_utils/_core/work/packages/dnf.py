# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""dnf 4, dnf 5 and yum: what a host could install, simulated, installed and proved. POSIX sh, and readers.

Exit code 0 proves nothing here: dnf skips what has broken dependencies, and a failed scriptlet does not change it.
A repository without updateinfo has no security updates for ever; that is not known, not clean (ansible/ansible#78560).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase

from ..node_answer import words
from .document import Document
from .listing import Forecast, Held, Listing, Note, PackageRules, matches, read_sizes, to_patch
from .names import Package, from_nevra
from .rpm import repositories, unfinished

#: What says that metadata of a repository is missing, also where the exit code is 0 by ``skip_if_unavailable``: dnf 4
#: (dnf, ``base.py``, ``fill_sack``) and dnf 5, which only says that the download failed.
SKIPPED = "Ignoring repositories|Failed to download metadata|Usable URL not found"
#: dnf waits for a lock for ever unless ``exit_on_lock`` is set; then it ends with 200. check-update: 100 means updates.
#: ``--assumeno`` shows the transaction and ends with 1. Excludes and version locks make check-update silent, so it is
#: asked once more without them. Amazon Linux 2023 is locked to a release unless told otherwise (AL2023 user guide,
#: "Deterministic upgrades").
SHELL = r"""
# --- dnf 4, dnf 5, yum 3
dnf=dnf flavour=4
case $manager in
  yum) dnf=yum; yum --version 2>/dev/null | head -n 1 | grep -q '^3' && flavour=3 ;;
  # dnf5 is installed as dnf by a link to it (Fedora 41); to ask dnf itself takes a second.
  dnf) has dnf || dnf=dnf5; case $(readlink -f "$(command -v $dnf)") in *dnf5) flavour=5 ;; esac ;;
esac
release=''
amazon2023() { case $(os_value ID):$(os_value VERSION_ID) in amzn:2023*) return 0 ;; esac; return 1; }
if amazon2023 && [ -n "$releasever" ]; then release="--releasever=$releasever"; fi
dnf_run() { # waits for locks
  end_of_wait=$(($(now) + lock))
  while :; do
    # shellcheck disable=SC2086 # release is empty or one word
    $dnf -y $release --setopt=exit_on_lock=True --setopt=assumeno=False "$@" >"$T/dnf.out" 2>"$T/dnf.err"
    code=$?
    if [ $code -eq 200 ] || grep -q 'ailed to obtain rpm transaction lock\|existing lock' "$T/dnf.err"; then
      if [ "$(now)" -lt $end_of_wait ]; then sleep 2; continue; fi
    fi
    cat "$T/dnf.out"; cat "$T/dnf.err" >&2
    return $code
  done
}
# Not quiet: the address, the reason and repositories that were skipped are named in what -q leaves out.
dnf_refresh() {
  dnf_run -q clean expire-cache >/dev/null 2>&1
  dnf_run makecache
  code=$?
  # dnf 5 says so, and ends with 0.
  if [ $code -eq 0 ] && grep -q 'no enabled repositories' "$T/dnf.out" "$T/dnf.err"; then code=1; fi
  return $code
}
dnf_cached() { # shellcheck disable=SC2086 # release is empty or one word
  $dnf -q $release "$@"; }
dnf_updates() { # check-update of dnf 5 leaves out what takes the place of another package
  dnf_cached check-update
  code=$?
  [ "$flavour" != 5 ] || dnf_cached list --obsoletes 2>/dev/null
  return $code
}
dnf_whole() { # asks without excludes and version locks: an advisory of an excluded package hides with the package
  case $flavour in
    5) dnf_cached '--setopt=disable_excludes=*' "$@" ;;
    *) dnf_cached --disableplugin=versionlock --disableexcludes=all "$@" ;;
  esac
}
dnf_everything() { case $flavour in 5) dnf_whole check-upgrade ;; *) dnf_whole check-update ;; esac; }
dnf_advisories() {
  case $flavour in
    5) dnf_whole advisory list --updates --security ;;
    3) dnf_whole updateinfo list security ;;
    *) dnf_whole updateinfo list --updates --security ;;
  esac
}
dnf_sizes() { # "name arch version bytes" of every update (dnf 4, repoquery.py, QUERY_TAGS; dnf 5, repoqueryformat.cpp)
  [ "$flavour" = 3 ] || dnf_cached repoquery --upgrades '--queryformat=%{name} %{arch} %{evr} %{downloadsize}\n'
}
dnf_metadata() { # "repository yes|no": whether it has updateinfo
  for file in /var/cache/dnf/*/repodata/repomd.xml /var/cache/libdnf5/*/repodata/repomd.xml \
    /var/cache/yum/*/*/*/repomd.xml /var/cache/yum/*/*/repomd.xml; do
    [ -f "$file" ] || continue
    folder=${file%/repomd.xml}; folder=${folder%/repodata}; name=${folder##*/}
    case $file in /var/cache/yum/*) ;; *) name=${name%-*} ;; esac
    if grep -q 'type="updateinfo' "$file"; then echo "$name yes"; else echo "$name no"; fi
  done
}
dnf_locks() { { [ "$flavour" = 3 ] || dnf_cached versionlock list; } 2>/dev/null; }
dnf_versions() { rpm_versions; }
dnf_broken() { rpm_broken; }
dnf_spec() { echo "$1-$3.$2"; }
dnf_repair() {
  if [ "$flavour" = 3 ] && has yum-complete-transaction; then yum-complete-transaction -y --cleanup-only; fi
  rpm_repair
}
dnf_list() {
  part refresh 60 dnf_refresh
  part updates 12000 dnf_updates
  part everything 12000 dnf_everything
  part security 12000 dnf_advisories
  part sizes 12000 dnf_sizes
  part metadata 500 dnf_metadata
  part locks 500 dnf_locks
  part states 500 rpm_states
  part scripts 500 rpm_scripts
  part broken 60 rpm_broken
  part kernels 40 rpm_kernels
  if [ "$flavour" = 4 ]; then part modules 200 limit 60 $dnf -q -C module list --enabled; fi
  if amazon2023; then
    part releases 60 limit 60 $dnf check-release-update
    part release 1 echo "$release"
  fi
}
# A name too long for its column stands on a line of its own.
dnf_plan() {
  # shellcheck disable=SC2086 # release is empty or one word
  $dnf --assumeno $release --setopt=exit_on_lock=True --setopt=install_weak_deps=False install "$@" \
    >"$T/plan.out" 2>"$T/plan.err" </dev/null
  if ! grep -q '^Transaction Summary' "$T/plan.out"; then
    if grep -q '^Nothing to do' "$T/plan.out" "$T/plan.err"; then return 0; fi
    return 1
  fi
  text <"$T/plan.out" | awk '
    NR == FNR { there[$1 " " $2]++; next }
    /^Transaction Summary/ { exit }
    /^(Installing|Upgrading|Reinstalling)/ { what = "install"; next }
    /^(Installing dependencies|Installing weak dependencies)/ { what = "install"; next }
    /^Downgrading/ { what = "downgrade"; next }
    /^Removing/ { what = "remove"; next }
    /^Skipping/ { what = "skip"; next }
    /^ +replacing / { sub(/\.[^.]*$/, "", $2); print "obsolete", $2; next }
    (/^ [^ ]/ || (/^ +[^ ]/ && held != "")) && what != "" {
      if (NF == 1) { held = $1; next }
      if (held != "") { $0 = " " held " " $0; held = "" }
      if (what == "install") { print what, $1, $2, $3; there[$1 " " $2]++ }
      else if (what == "remove") { gone[$1 " " $2]++; name[$1 " " $2] = $1 }
      else print what, $1
    }
    # Of what is installed in several versions, such as kernels, the oldest goes (dnf.conf(5), installonly_limit).
    END { for (key in gone) if (gone[key] >= there[key]) print "remove", name[key] }
  ' "$T/now" -
}
dnf_install() {
  if [ "$allow_removals" = yes ] && [ "$flavour" != 3 ]; then set -- --allowerasing "$@"; fi
  dnf_run --setopt=install_weak_deps=False install "$@"
}
dnf_reinstall() { dnf_run reinstall "$@"; }
"""


def read_dnf(document: Document, rules: PackageRules) -> Listing:
    """Read what ``dnf_list`` printed. :raises BadAnswer: it makes no sense."""
    offered, obsoletes = _updates(document.lines("updates"))
    everything, _more = _updates(document.lines("everything"))
    advisories = _advisories(document.lines("security"))
    metadata = repositories(document.lines("metadata"))
    silent = {name for name, known in metadata.items() if not known}
    locks = [line.strip() for line in document.lines("locks") if line.strip()]
    sizes = _sizes(document)
    patches, unclear = [], set()
    for package, repository in offered.items():
        severity = advisories.get(package.name)
        secure = severity is not None or matches(rules.security_sources, repository)
        patches.append(to_patch(package, security=secure, severity=severity or "", size=sizes.get(package)))
        if not secure and repository in silent and not matches(rules.other_sources, repository):
            unclear.add(words(repository, 100))
    held = []
    for package in everything:
        if package not in offered:
            secure = package.name in advisories
            why, text = _why_held(package, locks)
            held.append(Held(patch=to_patch(package, security=secure), why=why, text=text))
    return Listing(
        manager=document.manager,
        patches=tuple(patches),
        held=tuple(held),
        removals=tuple(obsoletes),
        unclear=tuple(sorted(unclear)),
        security_known=True in metadata.values() or not metadata or bool(rules.security_sources),
        broken=dict(unfinished(document)),
        notes=tuple(_notes(document, rules)),
        kernels=_kernels(document, offered),
        forecast=Forecast(removes=tuple(obsoletes)) if obsoletes else Forecast(),
    )


def _sizes(document: Document) -> dict[Package, int]:
    """Return the bytes of each update; yum 3 does not say them."""
    if document.part("sizes").rc != 0:
        return {}
    fields = (line.split() for line in document.lines("sizes") if line.strip())
    found = read_sizes((*line[:2], line[2].removeprefix("0:"), *line[3:]) if len(line) > 2 else line for line in fields)
    return found or {}


def _updates(lines: Iterable[str]) -> tuple[dict[Package, str], list[str]]:
    """Return updates with their repository, and what they make obsolete."""
    found: dict[Package, str] = {}
    obsoletes: list[str] = []
    obsoleting, pending = False, ""
    for line in lines:
        if line.startswith("Obsoleting"):
            obsoleting = True
            continue
        fields = f"{pending} {line}".split()
        pending = line if len(fields) < 3 and not obsoleting and "." in line else ""
        if len(fields) != 3 or "." not in fields[0]:
            continue
        name, arch = fields[0].rsplit(".", 1)
        if obsoleting and line.startswith(" "):
            obsoletes.append(name)
        else:
            found.setdefault(Package(name, arch, fields[1].removeprefix("0:")), fields[2])
    updated = {package.name for package in found}
    return found, [words(name, 120) for name in obsoletes if name not in updated]


def _advisories(lines: Iterable[str]) -> dict[str, str]:
    """Return the severity by name of a package that a security advisory names, if only in an older build than the
    newest. dnf 5 prints type and severity in columns of their own, and the date behind the package."""
    found: dict[str, str] = {}
    for line in lines:
        fields = line.split()
        packages = [package for word in fields[1:] if (package := from_nevra(word))]
        if not packages:
            continue
        severity = next((word.removesuffix("/Sec.") for word in fields if word.endswith("/Sec.")), "")
        if not severity and len(fields) > 2 and fields[1].lower() == "security":
            severity = fields[2]
        found.setdefault(packages[0].name, "" if severity in ("Unknown", "None", "security") else severity)
    return found


#: ``name-[epoch:]version-release.arch``, as versionlock writes it; ``!`` excludes this version alone.
_LOCK = re.compile(r"!?(?:\d+:)?(?P<name>.+?)-(?:\d+:)?[^-]+-[^-]+")

#: A line of dnf 5's versionlock list; the conditions stand below it.
_LOCK5 = re.compile(r"Package name: (?P<name>\S+)")


def _why_held(package: Package, locks: Iterable[str]) -> tuple[str, str]:
    for lock in locks:
        match = _LOCK.fullmatch(lock) or _LOCK5.fullmatch(lock)
        if match and fnmatchcase(package.name, match["name"]):
            return "hold", f"locked by versionlock ({words(lock, 100)})"
    return "excluded", "excluded by the configuration of dnf (excludepkgs), or locked"


def _notes(document: Document, rules: PackageRules) -> Iterator[Note]:
    release = document.part("release")
    if release.rc == 0 and not "".join(release.out).strip():
        newer = [match[1] for line in document.part("releases").said if (match := re.search(r"Version ([\d.]+)", line))]
        text = "its repositories are locked to the installed release of Amazon Linux 2023"
        if newer:
            text += f"; newer ones: {', '.join(words(item, 40) for item in newer[:5])}"
        yield Note(code="locked_release", text=f"{text} (patching.releasever)")
    problems = [
        line for line in document.part("updates").err if "odular dependency" in line or "module" in line.lower()
    ]
    if problems:
        yield Note(code="modules", text=f"module streams: {words(problems[0], 200)}")
    said = (line for name in ("refresh", "updates") for line in document.part(name).said)
    ignored = [line for line in said if re.search(SKIPPED, line)]
    if ignored:
        yield Note(code="repository", text=words(ignored[0], 200))


def _kernels(document: Document, offered: Iterable[Package]) -> dict[str, str]:
    new = [item for item in offered if re.fullmatch(r"kernel(-core|-uek|-rt)?", item.name)]
    installed = document.lines("kernels")
    found = {
        "installed": installed[-1] if installed else "",
        "available": f"{new[-1].version.split(':')[-1]}.{new[-1].arch}" if new else "",
    }
    return {key: words(value, 100) for key, value in found.items() if value}
