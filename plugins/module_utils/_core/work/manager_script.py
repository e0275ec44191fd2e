# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Finds the package manager of a Linux host, the same one for the host probe and for the scripts that install."""

from __future__ import annotations

#: POSIX sh that sets ``manager``: apt, dnf, yum, zypper or nothing. Needs ``has`` and ``R``, the root directory.
#: openSUSE's zypper-aptitude brings an apt-get of its own, and Fedora packages the real one.
SHELL = r"""
os_value() { sed -n "s/^$1=//p" "$R/etc/os-release" 2>/dev/null | head -n 1 | tr -d "\"'"; }
# The distribution's own package manager, also where another one is installed beside it.
find_manager() {
  case " $(os_value ID) $(os_value ID_LIKE) " in
    *\ debian\ * | *\ ubuntu\ *) order='apt dnf yum zypper' ;;
    *suse* | *\ sles\ *) order='zypper dnf yum apt' ;;
    *) order='dnf yum zypper apt' ;;
  esac
  for manager in $order; do
    case $manager in
      apt) if has apt-get && [ -d "$R/var/lib/dpkg/info" ]; then return; fi ;;
      dnf) if has dnf || has dnf5; then return; fi ;;
      *) if has "$manager"; then return; fi ;;
    esac
  done
  manager=''
}
find_manager
"""
