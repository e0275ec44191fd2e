# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""apt and dpkg: what a host could install, simulated, installed and proved. POSIX sh, and readers of what it prints.

A security update is any version newer than the installed one that stands in a security archive, also where the
candidate comes from another (mvo5/unattended-upgrades#122).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from ..node_answer import words
from .document import Document
from .listing import Forecast, Held, Listing, Note, PackageRules, matches, read_sizes, to_patch
from .names import Package

#: A simulation takes no lock. ``--no-remove`` refuses what removes packages. conffile questions are not answered by
#: ``DEBIAN_FRONTEND`` but by dpkg's options, ucf's by UCF_FORCE_CONFFOLD. NEEDRESTART_SUSPEND keeps needrestart's hook
#: from restarting services in mid-run, or from drawing a dialog.
SHELL = r"""
# --- apt
apt_env() {
  env DEBIAN_FRONTEND=noninteractive DEBIAN_PRIORITY=critical UCF_FORCE_CONFFOLD=1 NEEDRESTART_SUSPEND=1 \
    APT_LISTCHANGES_FRONTEND=none APT_LISTBUGS_FRONTEND=none "$@"
}
# What apt.conf may say otherwise: removals on the way, and another look of what is read here.
apt_plain='-o APT::Get::AutomaticRemove=false -o APT::Get::Show-Versions=false -o APT::Install-Recommends=false'
apt_run() {
  # shellcheck disable=SC2086 # options
  apt_env apt-get -y -q -o DPkg::Lock::Timeout="$lock" -o Dpkg::Use-Pty=0 -o Acquire::Retries=2 $apt_plain \
    -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold "$@"
}
apt_refresh() {
  until_free=$(($(now) + lock))
  while :; do
    apt_env apt-get -q -o DPkg::Lock::Timeout="$lock" -o Acquire::Retries=1 -o APT::Update::Error-Mode=any update \
      >"$T/apt.out" 2>"$T/apt.err"
    code=$?
    if grep -q 'ould not get lock\|nable to lock' "$T/apt.err" && [ "$(now)" -lt $until_free ]; then
      sleep 2; continue
    fi
    # Before 2.1.16 apt-get warns and ends with 0.
    ! grep -q '^W: .*\(Failed to fetch\|Some index files failed\)' "$T/apt.err" || code=100
    # The lists are whole where nothing failed but a hook of another program, such as appstream's.
    hook='^E: \(Problem executing scripts APT::Update\|Sub-process returned an error code\)'
    if [ $code -eq 100 ] && grep -q "$hook" "$T/apt.err" && ! grep '^[EW]:' "$T/apt.err" | grep -qv "$hook"; then
      code=0
    fi
    grep '^\(Err\|E:\|W:\)' "$T/apt.out"; cat "$T/apt.err" >&2
    return $code
  done
}
apt_simulate() { # shellcheck disable=SC2086 # options
  apt_env apt-get -s -q -o Debug::NoLocking=true $apt_plain "$@"; }
apt_download() { # "NAME_VERSION_ARCH.deb BYTES" of all archives that an upgrade has to fetch
  apt_env apt-get -y -q --print-uris -o Debug::NoLocking=true dist-upgrade >"$T/uris" || return
  awk "/^'/"' { print $2, $3 }' "$T/uris"
}
apt_newer() { # for each installed package with newer versions: these, and the files that have them
  dpkg-query -W -f '${db:Status-Abbrev} A ${binary:Package} ${Architecture}\n' |
    sed -n 's/^[ihu][^nc] *A /A /p' >"$T/names"
  native=$(dpkg --print-architecture)
  { cat "$T/names"; cut -d ' ' -f 2 "$T/names" | xargs apt-cache policy; } | awk -v native="$native" '
      /^A / { arch[$2] = $3; next }
      /^[^ ].*:$/ { name = substr($0, 1, length($0) - 1); shown = on = 0; next }
      /^  Installed:/ { installed = $2; next }
      /^  Candidate:/ { candidate = $2; next }
      /^  Version table:/ { on = 1; next }
      !on { next }
      /^ [*][*][*] / { on = 0; next }
      /^     [^ ]/ {
        if (!shown++) print "P", name, (name in arch ? arch[name] : arch[name ":" native]), installed, candidate
        phased = $0 ~ /[(]phased/ ? "phased" : "-"
        print "V " $1 " " $2 " " phased; next
      }
      { sub(/^ +-?[0-9]+ /, ""); print "S " $0 }'
}
apt_sources() { # "file of packages" and, behind a tab, what its Release file says
  apt-cache policy | awk '
    /^Pinned packages/ { exit }
    /^ +-?[0-9]+ / { sub(/^ +-?[0-9]+ /, ""); file = $0; next }
    /^ +release / { sub(/^ +release /, ""); if (file ~ / /) print file "|" $0 }'
}
apt_backports() { # what the Release files of archives say from which nothing comes by itself (apt_preferences(5))
  for file in "$R"/var/lib/apt/lists/*Release; do
    grep -qi '^NotAutomatic: *yes' "$file" 2>/dev/null || continue
    awk -F ': *' '!($1 in said) { said[$1] = $2 }
      END { print "o=" said["Origin"] ",a=" said["Suite"] ",n=" said["Codename"] ",l=" said["Label"] }' "$file"
  done
}
apt_states() {
  dpkg-query -W -f '${db:Status-Abbrev}|${Package}|${Architecture}|${Version}\n' | grep -v '^[iurhp][inc] '
}
apt_versions() {
  dpkg-query -W -f '${Package} ${Architecture} ${Version} ${db:Status-Abbrev}\n' |
    sed 's/ *$//' | grep -v ' [a-z][cn]$' | sort
}
apt_kernels() {
  dpkg-query -W -f '${db:Status-Abbrev} ${Package}\n' 'linux-image-[0-9]*' 2>/dev/null |
    sed -n 's/^[ih]i *linux-image-//p' | grep -v dbg | sort -V
}
apt_broken() { # status 1 where the database is not whole
  audit=$(dpkg --audit 2>&1)
  journal=$(ls "$R/var/lib/dpkg/updates" 2>/dev/null | head -n 1)
  bad=$(dpkg-query -W -f '${db:Status-Abbrev} ${Package}\n' | sed -n 's/^.[HUFWt]. *//p' | head -n 10 | tr '\n' ' ')
  [ -z "$bad" ] || echo "not completely installed: ${bad% }"
  printf '%s\n' "$audit" | sed '/^$/d' | head -n 20
  [ -z "$journal" ] || echo "dpkg was interrupted: there is a file in /var/lib/dpkg/updates"
  [ -z "$audit$journal" ]
}
apt_unmet() { # status 0 where apt installs nothing, because of what an installed package needs
  apt_simulate check 2>&1 | grep 'nmet dependencies\|^ .* : '
}
apt_spec() { case $2 in all | '') echo "$1=$3" ;; *) echo "$1:$2=$3" ;; esac; }
apt_repair() { apt_env dpkg --force-confdef --force-confold --configure -a && apt_run --no-remove -f install; }
apt_list() {
  part refresh 60 apt_refresh
  part simulate 12000 apt_simulate dist-upgrade
  ! grep -q '^Remv ' "$T/out" || part gentle 12000 apt_simulate --with-new-pkgs upgrade
  part download 12000 apt_download
  part held 2000 apt-mark showhold
  part newer 20000 apt_newer
  part sources 2000 apt_sources
  part backports 200 apt_backports
  part states 500 apt_states
  part broken 60 apt_broken
  part kernels 40 apt_kernels
  part blacklist 100 apt-config dump Unattended-Upgrade::Package-Blacklist
  if has pro; then part pro 40 limit 60 pro security-status --format json; fi
}
# What installing these would do: lines "install NAME ARCH VERSION", "remove NAME" and "downgrade NAME".
apt_plan() {
  apt_simulate -y --allow-downgrades install "$@" >"$T/plan.out" 2>"$T/plan.err" || return
  awk '
    /^Inst / { name = $2; version = $0; sub(/^[^(]*\(/, "", version); arch = version; sub(/ .*/, "", version)
      sub(/\).*/, "", arch); sub(/.*\[/, "", arch); sub(/\].*/, "", arch); sub(/:.*/, "", name)
      print "install", name, arch, version }
    /^Remv / { name = $2; sub(/:.*/, "", name); print "remove", name }
    /will be DOWNGRADED/ { down = 1; next }
    down && /^  / { for (i = 1; i <= NF; i++) print "downgrade", $i; next }
    { down = 0 }' "$T/plan.out"
}
# What is named on the command line becomes manually installed, so that no autoremove ever takes an old kernel.
apt_install() {
  cut -d ' ' -f 1 "$T/now" >"$T/there"
  { apt-mark showauto; cut -d '|' -f 2 "$T/group" | grep -vxF -f "$T/there"; } >"$T/auto"
  [ "$allow_removals" = yes ] || set -- --no-remove "$@"
  apt_run install "$@"
  code=$?
  apt-mark showmanual | grep -xF -f "$T/auto" | xargs -r apt-mark auto >/dev/null
  return $code
}
"""


@dataclass(slots=True)
class _Source:
    """A repository's index: where it is, and what its Release file says."""

    file: str
    release: Mapping[str, str]

    def is_security(self, rules: PackageRules) -> bool:
        """The archive's label, suite or codename says so, or the policy does (a mirror may rename them, aptly#306)."""
        named = (self.release.get(key, "") for key in "lan")
        return any("security" in name.lower() for name in named) or matches(rules.security_sources, *self._texts())

    def is_other(self, rules: PackageRules) -> bool:
        """The policy says that no security updates come from it."""
        return matches(rules.other_sources, *self._texts())

    @property
    def origin(self) -> str:
        return self.release.get("o", "")

    @property
    def archive(self) -> tuple[str, ...]:
        return tuple(self.release.get(key, "") for key in "oanl")

    def _texts(self) -> tuple[str, ...]:
        return self.file, self.file.partition(" ")[0], *self.release.values()


@dataclass(slots=True)
class _Newer:
    """An installed package of which there are newer versions, the newest first: (version, priority, phased, files)."""

    name: str
    arch: str
    installed: str
    candidate: str
    versions: list[tuple[str, str, bool, list[str]]] = field(default_factory=list)


_INST = re.compile(
    r"^Inst (?P<name>\S+) (?:\[(?P<old>[^\]]*)\] )?\((?P<version>\S+) (?P<origin>.*?) ?\[(?P<arch>[^\]]+)\]\)"
)


def read_apt(document: Document, rules: PackageRules) -> Listing:
    """Read what ``apt_list`` printed. :raises BadAnswer: it makes no sense."""
    sources = {file: _Source(file, _release(text)) for file, text in _pairs(document.lines("sources"))}
    newer = {f"{item.name.partition(':')[0]}:{item.arch}": item for item in _newer(document.lines("newer"))}
    downgrades = _downgrades(document)
    offered, gentle = (
        {
            _name(match["name"], match["arch"]): match
            for match in _installs(document, part)
            if match["name"] not in downgrades  # a pin above 1000 asks for it (apt_preferences(5))
        }
        for part in ("simulate", "gentle")
    )
    removed = tuple(words(line.split()[1], 120) for line in document.lines("simulate") if line.startswith("Remv "))
    trust = _Trust(sources, rules)
    sizes = _sizes(document)
    listed, held, unclear = [], [], set()
    for name, match in offered.items():
        known = newer.get(name)
        secure = trust.is_security(known) if known else "security" in match["origin"].lower()
        package = Package(match["name"].split(":")[0], match["arch"], match["version"])
        patch = to_patch(package, security=secure, size=(sizes or {}).get(package))
        if removed and name not in gentle and not rules.allow_removals:
            held.append(Held(patch=patch, why="removes", text=f"installing it removes {', '.join(removed[:10])}"))
            continue
        listed.append(patch)
        unclear |= set() if secure or known is None else trust.silent(known)
    backports = {_Source("", _release(line)).archive for line in document.lines("backports")}
    quiet = {file for file, source in sources.items() if source.archive in backports}
    held += _held(newer, offered, set(document.lines("held")), trust, quiet)
    return Listing(
        manager="apt",
        patches=tuple(listed),
        held=tuple(held),
        removals=removed if rules.allow_removals else (),
        unclear=tuple(sorted(unclear)),
        security_known=any(source.is_security(rules) for source in sources.values()),
        broken=dict(_broken(document.lines("states"))),
        notes=tuple(_notes(document, newer)),
        kernels=_kernels(document, offered.values()),
        forecast=_forecast(offered.values(), removed if rules.allow_removals else (), downgrades, sizes),
    )


def _sizes(document: Document) -> dict[Package, int] | None:
    """Return the bytes of each archive that has to be fetched; those in apt's cache have not."""
    if document.part("download").rc != 0:
        return None
    return read_sizes(_archive(line) for line in document.lines("download"))


def _archive(line: str) -> tuple[str, ...]:
    """Read ``NAME_VERSION_ARCH.deb BYTES``; apt writes a colon of the version as ``%3a``."""
    file, _space, size = line.partition(" ")
    parts = file.removesuffix(".deb").replace("%3a", ":").split("_")
    return (parts[0], parts[2], parts[1], size) if len(parts) == 3 else ()


def _downgrades(document: Document) -> list[str]:
    """Return the packages that the simulation would downgrade."""
    down, found = False, []
    for line in document.lines("simulate"):
        down = "will be DOWNGRADED" in line or (down and line.startswith("  "))
        found += [words(name, 120) for name in line.split()] if down and line.startswith("  ") else []
    return found


def _forecast(
    offered: Iterable[re.Match[str]],
    removed: Sequence[str],
    downgrades: Sequence[str],
    sizes: Mapping[Package, int] | None,
) -> Forecast:
    """Return what apt-get(8) says with ``--simulate`` and ``--print-uris``; not all of it is installed if the policy
    leaves updates out."""
    return Forecast(
        removes=tuple(removed),
        downgrades=tuple(downgrades),
        adds=tuple(words(match["name"].split(":")[0], 120) for match in offered if not match["old"]),
        download_bytes=None if sizes is None else sum(sizes.values()),
    )


class _Trust:
    """What repositories say about security updates. One says it if its origin also has a security archive, as the
    distribution has; a third party's repository does not."""

    def __init__(self, sources: Mapping[str, _Source], rules: PackageRules) -> None:
        self._sources, self._rules = sources, rules
        self._secure = {file for file, source in sources.items() if source.is_security(rules)}
        self._origins = {sources[file].origin for file in self._secure}

    def is_security(self, newer: _Newer) -> bool:
        return any(file in self._secure for _version, _priority, _phased, files in newer.versions for file in files)

    def silent(self, newer: _Newer) -> set[str]:
        """Return the repositories of the candidate, if none of them says which updates are security updates."""
        files = [file for version, _p, _f, files in newer.versions if version == newer.candidate for file in files]
        found = [self._sources[file] for file in files if file in self._sources]
        if any(source.origin in self._origins or source.is_other(self._rules) for source in found):
            return set()
        return {words(" ".join(source.file.split()[:2]), 120) for source in found}


def _held(
    newer: Mapping[str, _Newer], offered: Iterable[str], holds: set[str], trust: _Trust, quiet: set[str]
) -> Iterator[Held]:
    names = set(offered)
    for item in newer.values():
        name = item.name.partition(":")[0]
        if f"{name}:{item.arch}" in names:
            continue
        why, version, text = _why_held(item, holds, quiet)
        if why:
            patch = to_patch(Package(name, item.arch, version), security=trust.is_security(item))
            yield Held(patch=patch, why=why, text=text)


def _why_held(item: _Newer, holds: set[str], quiet: set[str]) -> tuple[str, str, str]:
    """Return (why, version, text) of an update that apt does not offer; ``why`` is empty for one that is phased, or
    that only archives have from which nothing comes by itself, such as backports."""
    awaited = [row for row in item.versions if row[0] == item.candidate or set(row[3]) - quiet]
    if not awaited:
        return "", item.versions[0][0], ""
    version, priority, phased, _files = awaited[0]
    if holds & {item.name, item.name.split(":")[0]}:
        return "hold", version, "on hold (apt-mark hold)"
    if phased and priority == "1":  # how apt 2.2 and 2.4 keep it back
        return "", version, ""
    if item.candidate in (item.installed, "(none)"):
        return "pinned", version, f"a pin keeps {item.installed} (apt_preferences)"
    if phased:
        return "", version, ""
    return (
        "blocked",
        item.candidate,
        "kept back: its dependencies can't be fulfilled or are held, or another update conflicts",
    )


def _name(name: str, arch: str) -> str:
    return name if ":" in name else f"{name}:{arch}"


def _installs(document: Document, part: str) -> Iterator[re.Match[str]]:
    return (match for line in document.lines(part) if (match := _INST.match(line)))


def _pairs(lines: Iterable[str]) -> Iterator[tuple[str, str]]:
    for line in lines:
        file, _separator, text = line.partition("|")
        yield file, text


def _release(text: str) -> dict[str, str]:
    """Read ``o=Debian,a=stable,l=Debian-Security,…``."""
    return {key: value for key, _s, value in (item.partition("=") for item in text.split(",")) if len(key) == 1}


def _newer(lines: Iterable[str]) -> Iterator[_Newer]:
    item: _Newer | None = None
    for line in lines:
        kind, _space, rest = line.partition(" ")
        fields = rest.split()
        if kind == "P" and len(fields) == 4:
            if item and item.versions:
                yield item
            item = _Newer(fields[0], fields[1], fields[2], fields[3])
        elif item and kind == "V" and len(fields) == 3:
            item.versions.append((fields[0], fields[1], fields[2] == "phased", []))
        elif item and kind == "S" and item.versions:
            item.versions[-1][3].append(rest)
    if item and item.versions:
        yield item


def _broken(lines: Iterable[str]) -> Iterator[tuple[str, str]]:
    for line in lines:
        state, _separator, rest = line.partition("|")
        fields = rest.split("|")
        if len(fields) == 3:
            yield Package(*fields).id, STATES.get(state[1:2], f"state {words(state, 10)}")


#: dpkg's second letter, the current state (dpkg-query(1), ${db:Status-Abbrev}).
STATES = {
    "H": "half-installed",
    "U": "unpacked, not configured",
    "F": "half-configured",
    "W": "waits for the triggers of another package",
    "t": "its triggers have not run",
}


def _notes(document: Document, newer: Mapping[str, _Newer]) -> Iterator[Note]:
    phased = sorted(item.name for item in newer.values() if item.versions[0][2])
    if phased:
        yield Note(code="phased", text=f"{len(phased)} updates are phased and not offered to this host yet")
    listed = [line.partition('"')[2].rstrip('";') for line in document.lines("blacklist") if line.count('"') >= 2]
    if names := [words(name, 60) for name in listed if name]:
        yield Note(code="blacklist", text=f"unattended-upgrades leaves out: {', '.join(names[:10])}")
    hooks = [line for line in document.part("refresh").said if "Problem executing scripts" in line]
    if hooks and document.part("refresh").rc == 0:
        yield Note(code="hook", text=f"a hook of apt-get update failed, the lists are whole: {words(hooks[0], 200)}")
    if document.part("pro").rc >= 0:
        yield from _ubuntu_pro("".join(document.lines("pro")))


def _ubuntu_pro(text: str) -> Iterator[Note]:
    """Fixes that only a subscription gives are missing, not pending (pro(1), security-status)."""
    attached = re.search(r'"attached": ?true', text)
    for service in ("infra", "apps"):
        found = re.search(rf'"num_esm_{service}_updates": ?(\d{{1,6}})', text)
        if found and int(found[1]) and not attached:
            yield Note(code="esm", text=f"{found[1]} security fixes need Ubuntu Pro (esm-{service})")


def _kernels(document: Document, offered: Iterable[re.Match[str]]) -> dict[str, str]:
    new = [match["name"].removeprefix("linux-image-") for match in offered if match["name"].startswith("linux-image-")]
    installed = document.lines("kernels")
    found = {"installed": installed[-1] if installed else "", "available": new[-1].split(":")[0] if new else ""}
    return {key: words(value, 100) for key, value in found.items() if value}
