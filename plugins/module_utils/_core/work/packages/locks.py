# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who holds a lock of the package manager, and waiting for it. POSIX sh."""

from __future__ import annotations

#: apt, dpkg and zypp leave their lock files in place when they are free, so a file alone means nothing: the kernel's
#: list of locks does, or the process that dnf4, yum and zypp write into the file. Lock files are never removed.
#: ``DPkg::Lock::Timeout`` covers neither the package lists nor the archives (moby/docker-install#366).
LOCKS = r"""
# --- locks: lock_holder names who holds one, wait_free SECONDS waits for all of them
lock_of() { # FILE: the process that has it locked, by the kernel's list
  [ -e "$1" ] || return 0
  inode=$(ls -i "$1" 2>/dev/null | awk '{ print $1 }')
  awk -v inode="$inode" '$2 != "->" { n = split($6, at, ":"); if (at[n] == inode) print $5 }' /proc/locks 2>/dev/null |
    while read -r pid; do
      for fd in /proc/"$pid"/fd/*; do
        [ "$(readlink "$fd" 2>/dev/null)" = "$1" ] || continue
        echo "$(cat /proc/"$pid"/comm 2>/dev/null) (pid $pid)"; break
      done
    done | head -n 1
}
pid_of() { # FILE: the living package manager whose number is in it
  pid=''
  read -r pid 2>/dev/null <"$1" || [ -n "$pid" ] || return 0
  comm=''
  read -r comm 2>/dev/null <"/proc/$pid/comm" || return 0
  case $comm in
    dnf* | yum* | zypper* | Zypp* | packagekitd | python* | platform-python | microdnf | tdnf)
      echo "$comm (pid $pid)" ;;
  esac
}
lock_holder() {
  {
    for file in var/lib/dpkg/lock-frontend var/lib/dpkg/lock var/lib/apt/lists/lock var/cache/apt/archives/lock \
      var/lib/rpm/.rpm.lock usr/lib/sysimage/rpm/.rpm.lock run/dnf/rpmtransaction.lock; do
      lock_of "$R/$file"
    done
    for file in "$R"/run/zypp.pid "$R"/run/yum.pid "$R"/var/cache/dnf/*.pid "$R"/var/lib/dnf/*.pid; do
      [ ! -f "$file" ] || pid_of "$file"
    done
  } | head -n 1
}
wait_free() { # SECONDS: status 1 and the holder's name in $holder if it is still locked
  until=$(($(now) + $1))
  while :; do
    holder=$(lock_holder)
    [ -n "$holder" ] || return 0
    [ "$(now)" -lt $until ] || return 1
    sleep 2
  done
}
free_or_say() { # SECONDS: a part named lock if it is still locked
  wait_free "$1" && return 0
  printf '%s\n' "$holder" >"$T/out"; : >"$T/err"
  add lock 1 1
  return 1
}
"""

#: Background updates are paused while we work. systemd forgets a stopped timer at the next boot, so that a reboot
#: resumes them as well; the names are kept in a file for ``resume``, which may run after a crash. Running updates are
#: waited for, not ended: apt-daily-upgrade.service has KillMode=process, dpkg would go on without it (its unit file).
PAUSE = r"""
# --- timers of the host's own updates: pause stops those that run, resume starts them again
paused=$R/var/lib/patchtide/paused
pause() {
  has systemctl && [ -d /run/systemd/system ] || return 0
  for unit in apt-daily.timer apt-daily-upgrade.timer unattended-upgrades.timer dnf-automatic.timer \
    dnf-automatic-install.timer dnf-automatic-download.timer dnf5-automatic.timer dnf-makecache.timer \
    yum-cron.service packagekit.service transactional-update.timer; do
    limit 10 systemctl --quiet is-active "$unit" 2>/dev/null || continue
    case $unit in packagekit.service) [ -z "$(lock_holder)" ] || continue ;; esac
    echo "$unit" >>"$paused"
    limit 30 systemctl stop "$unit" >/dev/null 2>&1
  done
}
resume() {
  [ -s "$paused" ] || return 0
  mv "$paused" "$paused.$$" 2>/dev/null || return 0
  sort -u "$paused.$$" | while read -r unit; do limit 30 systemctl start "$unit" >/dev/null 2>&1; done
  rm -f "$paused.$$"
}
"""
