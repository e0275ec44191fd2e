# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The scripts that travel to a host: one lists what it could install, one installs an exact list, one reboots it.

The install script stays on the host beside what it wrote, so that the same file proves afterwards what happened and
resumes paused timers after a crash; nothing has to be sent for that.
"""

from __future__ import annotations

from collections.abc import Sequence

from . import apt, capture, dnf, document, locks, reboot_need, rpm, zypper
from .listing import PackageRules
from .names import checked, package_of

#: A list is installed in so many steps at most; a short one in a step for each update and what it needs. A step costs
#: seconds of its own, and each runs triggers such as update-initramfs again.
STEPS = 8

_MANAGERS = "".join((rpm.SHELL, apt.SHELL, dnf.SHELL, zypper.SHELL))
#: Sets what the policy says and the kind of package manager; ends with a part named ``refused`` where we can't work.
_SETTINGS = r"""
lock=@LOCK@ allow_removals=@REMOVALS@ repair=@REPAIR@ restart=@RESTART@ releasever='@RELEASEVER@'
kind=$manager
[ "$kind" != yum ] || kind=dnf
refuse() { printf '%s\n' "$1" >"$T/out"; : >"$T/err"; add refused 1 1; document; exit 1; }
able() {
  if [ -e /run/ostree-booted ]; then refuse 'an image-based system (ostree, bootc): packages do not change in place'; fi
  if has transactional-update && [ ! -w /usr ]; then refuse 'a transactional system: its root is read-only'; fi
  [ -n "$manager" ] || refuse 'no apt, dnf, yum or zypper'
}
"""
_LIST = r"""
able
if free_or_say "$lock"; then
  "${kind}_list"
  part reboot 20 reboot_need
fi
document
"""
#: ``d`` is the work's directory. Lines of the file ``steps``: ``begin|N|ids``, ``end|N|exit code``, ``log|N|text``,
#: ``held|id|reason|text``, ``failed|id|N``, ``left|id`` (the deadline was over), ``stopped|code|text``, ``done``.
_INSTALL = r"""
d=${0%/*}
steps=$d/steps
say() { printf '%s\n' "$1" >>"$steps"; }
log() { # N: the last lines of both streams, those that name a culprit first
  cat "$d/step.err" "$d/step.out" 2>/dev/null | text >"$T/both"
  { grep -i 'error\|fail\|problem\|conflict\|nothing provides\|no space\|scriptlet\|not found\|killed\|overwrite' \
      "$T/both" |
      head -n 15
    text <"$d/step.out" | tail -n 10; text <"$d/step.err" | tail -n 10
  } | grep '[^ ]' | while IFS= read -r line; do say "log|$1|$line"; done
}
versions() { "${kind}_versions"; }
items() { cat <<'PATCHTIDE_ITEMS'
@ITEMS@
PATCHTIDE_ITEMS
}
excluded() { # NAME: whether the policy excludes it
  case $1 in @EXCLUDE@) return 0 ;; esac
  return 1
}
is_done() { # NAME ARCH VERSION: whether this version is installed and configured
  case $1 in patch:*) return 1 ;; esac
  grep -qxF -e "$1 $2 $3 ii" -e "$1 $2 $3 hi" "$T/now"
}
prove() {
  items >"$T/items"
  versions >"$T/now"
  : >"$T/err"
  if [ -e "$d/before" ]; then
    comm -23 "$d/before" "$T/now" >"$T/gone"; comm -13 "$d/before" "$T/now" >"$T/came"
    part gone 20000 cat "$T/gone"
    part came 20000 cat "$T/came"
  fi
  cut -d '|' -f 2,3 "$T/items" | tr '|' ' ' | sort -u >"$T/wanted"
  awk 'NR == FNR { wanted[$1 " " $2] = 1; next } ($1 " " $2) in wanted' "$T/wanted" "$T/now" >"$T/states"
  part states 5000 cat "$T/states"
  if [ "$kind" = zypper ] && grep -q '^patch:' "$T/items"; then
    part applied 5000 zypper_applied
    part contents 5000 zypper_contents
  fi
  if [ "$kind" != apt ]; then
    part verify 200 verify
    part twice 200 rpm_states
    if [ -e "$d/transactions" ]; then rpm_interrupted "$d/transactions" && rm -f "$d/transactions"; fi
    part scripts 500 rpm_scripts
  fi
  part steps 5000 cat "$steps"
  part broken 60 "${kind}_broken"
  part reboot 20 reboot_need
  if [ -e "$d/capture" ]; then capture >"$T/capture"; part was 2000 cat "$d/capture"; part is 2000 cat "$T/capture"; fi
  document
}
verify() { cut -d ' ' -f 1 "$T/wanted" | sort -u | grep -v '^patch:' | xargs -r rpm -V --nofiles; }
group() { # the ids of the group, and how the package manager is asked for them
  ids=$(cut -d '|' -f 1 "$T/group" | tr '\n' ' ')
  specs=$(while IFS='|' read -r id name arch version; do "${kind}_spec" "$name" "$arch" "$version"; done <"$T/group" |
    tr '\n' ' ')
}
single() { [ "$(wc -l <"$T/tried")" -eq 1 ]; }
withhold() { ! single || say "held|$(cut -d '|' -f 1 "$T/tried")|$1|$2"; }
planned() { # simulate the group; planned updates that it brings in another version are pinned and simulated again
  for round in 1 2; do
    group
    # shellcheck disable=SC2086 # one word for each package
    "${kind}_plan" $specs >"$T/effects" || return 1
    awk -F '|' 'NR == FNR { id[$2 " " $3] = $0; version[$2 " " $3] = $4; next }
      { split($0, word, " "); key = word[2] " " word[3] }
      word[1] == "install" && key in id && version[key] != word[4] { print id[key] }
    ' "$T/open" "$T/effects" | grep -vxF -f "$T/group" >"$T/more"
    [ -s "$T/more" ] || return 0
    cat "$T/more" >>"$T/group"
  done
}
attempt() { # install the group in one step; status 1 if it could not be
  number=$((number + 1))
  if [ $late = yes ] && [ "$kind" != dnf ]; then withhold absent "$absent"; return 2; fi
  if ! planned; then
    cp "$T/plan.out" "$d/step.out"; cp "$T/plan.err" "$d/step.err"
    ! single || { say "failed|$(cut -d '|' -f 1 "$T/tried")|$number"; log $number; }
    return 1
  fi
  if [ $late = yes ] && ! grep -q '^obsolete ' "$T/effects"; then withhold absent "$absent"; return 2; fi
  gone=$(sed -n 's/^remove //p' "$T/effects" | head -n 10 | tr '\n' ' ')
  if [ -n "$gone" ] && [ "$allow_removals" != yes ]; then
    withhold removes "installing it removes ${gone% }"; return 2
  fi
  down=$(sed -n 's/^downgrade //p' "$T/effects" | head -n 10 | tr '\n' ' ')
  if [ -n "$down" ]; then withhold downgrade "a newer version is installed: ${down% }"; return 2; fi
  cut -d '|' -f 2 "$T/group" >"$T/mine"
  sed -n 's/^install \([^ ]*\).*/\1/p' "$T/effects" | grep -vxF -f "$T/mine" >"$T/added"
  while read -r name; do
    if excluded "$name"; then withhold excluded "it needs $name, which the policy excludes"; return 2; fi
  done <"$T/added"
  # shellcheck disable=SC2086 # one word for each package
  step install $specs
}
absent='it is not installed any more, and nothing that was planned brings it'
step() { # VERB SPEC…: what is in the group
  verb=$1; shift
  say "begin|$number|$ids"
  [ "$kind" = apt ] || rpm_transactions >"$d/transactions"
  "${kind}_$verb" "$@" >"$d/step.out" 2>"$d/step.err" </dev/null
  code=$?
  tail -n 200 "$d/step.out"; tail -n 50 "$d/step.err" >&2
  log $number
  [ "$kind" = apt ] || { rpm_remember "$d/step.err" "$d/step.out"; rm -f "$d/transactions"; }
  say "end|$number|$code"
  versions >"$T/now"
  [ $code -eq 0 ]
}
reinstall_failed() { # planned packages whose scriptlet failed in an earlier install
  [ "$kind" != apt ] || return 0
  items >"$T/items"
  rpm_scripts | cut -d '|' -f 1-3 >"$T/marked"
  awk -F '|' 'NR == FNR { marked[$0] = 1; next } ($2 "|" $3 "|" $4) in marked' "$T/marked" "$T/items" >"$T/group"
  [ -s "$T/group" ] || return 0
  number=$((number + 1))
  group
  say "repair|scriptlets of $ids"
  # shellcheck disable=SC2086 # one word for each package
  step reinstall $specs
}
left() { while IFS='|' read -r id rest; do say "left|$id"; done; }
open_items() { # those of the list that are not installed yet
  while IFS='|' read -r id name arch version; do
    if ! is_done "$name" "$arch" "$version"; then echo "$id|$name|$arch|$version"; fi
  done
}
# A package that is not installed in any version is a new dependency, comes in another's place (dnf), or was removed
# since the plan: it is not named until the others are done, and not put back where none of them brings it.
install_all() {
  items >"$T/items"
  versions >"$T/now"
  open_items <"$T/items" >"$T/open"
  awk -F '|' 'NR == FNR { split($0, word, " "); there[word[1]] = 1; next } $2 in there || /^patch:/' \
    "$T/now" "$T/open" >"$T/todo"
  late=no size=$((($(wc -l <"$T/items") + @STEPS@ - 1) / @STEPS@))
  rounds
  grep -vxF -f "$T/done" "$T/open" | open_items >"$T/todo"
  late=yes size=1
  rounds
}
rounds() {
  cp "$T/todo" "$T/done"
  while [ -s "$T/todo" ]; do
    if [ "$(now)" -ge $stop ]; then left <"$T/todo"; return; fi
    head -n "$size" "$T/todo" >"$T/group"
    cp "$T/group" "$T/round"; cp "$T/group" "$T/tried"
    if ! attempt && ! single; then
      # one that can't be installed must not keep the others of its step from being installed
      while IFS= read -r line; do
        printf '%s\n' "$line" | open_items >"$T/group"
        cp "$T/group" "$T/tried"
        [ -s "$T/group" ] || continue
        if [ "$(now)" -ge $stop ]; then left <"$T/group"; else attempt; fi
      done <"$T/round"
    fi
    grep -vxF -f "$T/round" "$T/todo" | open_items >"$T/next"
    mv "$T/next" "$T/todo"
  done
}
# Services that still use deleted files of libraries are restarted; never those that a session or the host hangs on.
restart_services() {
  has systemctl && [ -d /run/systemd/system ] || return 0
  grep -l ' r-xp .*/\(lib\|usr\)/.*(deleted)' /proc/[0-9]*/maps 2>/dev/null | while read -r maps; do
    sed -n 's|.*/system\.slice/\([^/]*\.service\).*|\1|p' "${maps%/maps}/cgroup" 2>/dev/null
  done | sort -u | while read -r unit; do
    case $unit in
      dbus* | systemd-* | *getty* | user@* | display-manager* | gdm* | sddm* | lightdm* | patchtide-* | docker* | \
        containerd*) say "service|$unit|not restarted"; continue ;;
    esac
    if limit 90 systemctl restart "$unit" >/dev/null 2>&1; then say "service|$unit|restarted"
    else say "service|$unit|its restart failed"; fi
  done
}
case ${1:-} in
  prove) prove; exit 0 ;;
  resume) resume; exit 0 ;;
esac
able
: >"$steps"
stop=$(($(now) + @SECONDS@))
trap 'resume; rm -rf "$T"' EXIT
pause
if ! wait_free "$lock"; then
  say "stopped|locked|the package manager is locked by $holder for more than $lock seconds"
  exit 1
fi
versions >"$d/before"
capture >"$d/capture"
code=0
"${kind}_refresh" >"$d/step.out" 2>"$d/step.err" || code="exit code $?"
if grep -Eq '@SKIPPED@' "$d/step.out" "$d/step.err"; then code='a repository was skipped'; fi
[ "$code" = 0 ] || { say "refresh|$code"; log refresh; }
if [ $repair = yes ] && { ! "${kind}_broken" || { [ "$kind" = apt ] && apt_unmet; }; } >"$T/broken"; then
  say "repair|$(head -n 3 "$T/broken" | tr '\n' ' ')"
  "${kind}_repair" >"$d/step.out" 2>"$d/step.err" || log repair
  versions >"$T/now"
fi
if ! "${kind}_broken" >"$T/broken"; then
  say "stopped|broken|the package database is broken: $(text <"$T/broken" | head -n 3 | tr '\n' ' ')"
  exit 1
fi
number=0
if [ $repair = yes ]; then reinstall_failed; fi
install_all
if [ $restart = yes ]; then restart_services; fi
say 'done'
"""
#: No reboot while a package is not configured, or the newest kernel has no initrd (developer-center#2123).
_REBOOT = r"""
able
why=''
if [ "$kind" = apt ]; then
  bad=$(dpkg-query -W -f '${db:Status-Abbrev} ${Package}\n' | sed -n 's/^[a-z][HUF].* //p' | head -n 5 | tr '\n' ' ')
  [ -z "$bad" ] || why="not completely installed: ${bad% }"
fi
newest=$(newest_kernel)
if [ -n "$newest" ] && [ -e "$R/boot/vmlinuz-$newest" ] && ls "$R"/boot/initr* >/dev/null 2>&1; then
  ls "$R"/boot/initr*"$newest"* >/dev/null 2>&1 || why="the newest kernel $newest has no initrd"
fi
if [ -n "$why" ]; then echo "no reboot: $why" >&2; exit 75; fi
sleep 3
systemctl reboot 2>/dev/null || reboot 2>/dev/null || shutdown -r now
sleep 600
"""
#: Arguments of the install script: ``prove`` prints what it did, ``resume`` starts paused timers again.
INSTALL_MODES = ("prove", "resume")
#: The exit code of a reboot that was not asked for, because the host would not come back whole.
REFUSED = 75


def list_script(rules: PackageRules) -> str:
    """Return the script that lists what a host could install. It refreshes the package lists, which are a cache."""
    return with_managers(_LIST, rules)


def install_script(patch_ids: Sequence[str], rules: PackageRules, seconds: int) -> str:
    """Return the script that installs exactly these versions, as the plan names them.

    :param seconds: after so many no further step begins.
    """
    script = with_managers(capture.SHELL + _INSTALL, rules)
    values = {
        "ITEMS": "\n".join(map(_item, patch_ids)),
        "EXCLUDE": " | ".join(pattern.replace("~", r"\~") for pattern in rules.exclude) or "''",
        "STEPS": str(STEPS),
        "SECONDS": str(max(0, int(seconds))),
        "SKIPPED": dnf.SKIPPED,
    }
    for name, value in values.items():
        script = script.replace(f"@{name}@", value)
    return script


def reboot_script(rules: PackageRules) -> str:
    """Return the script that reboots a host, unless it would not come back whole; then it ends with ``REFUSED``."""
    return with_managers(_REBOOT, rules)


def with_managers(main: str, rules: PackageRules) -> str:
    """Return a script that has the functions of all package managers, and what the policy says."""
    settings = _SETTINGS
    values = {
        "LOCK": str(int(rules.lock_seconds)),
        "REMOVALS": "yes" if rules.allow_removals else "no",
        "REPAIR": "yes" if rules.repair else "no",
        "RESTART": "yes" if rules.restart_services else "no",
        "RELEASEVER": rules.releasever,
    }
    for name, value in values.items():
        settings = settings.replace(f"@{name}@", value)
    parts = (document.SHELL, settings, locks.LOCKS, locks.PAUSE, _MANAGERS, reboot_need.SHELL, main)
    return "".join(parts)


def _item(patch_id: str) -> str:
    """Return ``id|name|arch|version``; how it is asked for is the package manager's."""
    return "|".join((checked(patch_id), *package_of(patch_id)))
