#!/usr/bin/python
# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: linux_repositories
short_description: Check and correct the package repositories of a Linux host
version_added: 0.1.0
description:
  - Compares the repositories that apt, dnf, yum or zypper use on the host with the expected ones. It checks URL,
    snapshot, suites, components, whether signatures are verified, and which keys are trusted.
  - Reports expired signing keys, and a host clock that differs from the controller's.
  - Corrects the differences once or permanently, and counts in a history file how often they came back.
author:
  - The patchtide.hybrid contributors (@patchtide)
notes:
  - With apt, an expected repository is written to C(/etc/apt/sources.list.d/<name>.sources), and other sources of the
    same repository are disabled. With dnf, yum and zypper, the section with the repository ID is changed in its file.
  - Replaced files are kept on the host in C(/var/lib/patchtide/repositories).
attributes:
  check_mode:
    description: Shows what would be written.
    support: full
  diff_mode:
    description: Shows the files before and after.
    support: full
  idempotent:
    description: A second run changes nothing.
    support: full
options:
  repositories:
    description:
      - Expected repositories, as in the policy's C(repositories.expected). Entries for another package manager, and
        entries whose C(select) does not match the host, are ignored.
    type: list
    elements: dict
    required: true
  wave:
    description: Wave of the host, for repositories with C(snapshots). Empty if it is in none.
    type: str
    default: ""
  closed:
    description: URLs that must not answer from the host, at most 5. They are tried from the host.
    type: list
    elements: str
    default: []
  repair:
    description:
      - V(none) changes nothing. V(once) corrects the host's files.
      - V(permanent) also keeps cloud-init from writing apt's files again, and subscription-manager from writing
        C(redhat.repo) again if that file was wrong.
      - V(by_trend) does what RV(proposal) says.
    type: str
    choices: [none, once, permanent, by_trend]
    default: none
  history_file:
    description: File on the controller in which differences and corrections are recorded, for all hosts.
    type: path
  trend_days:
    description: Number of days for which incidents count.
    type: int
    default: 90
  permanent_after:
    description: Number of incidents in O(trend_days) from which a permanent repair is proposed.
    type: int
    default: 3
  lock_timeout:
    description: Seconds to wait for a lock of the package manager before files are written.
    type: int
    default: 300
requirements:
  - A POSIX shell and C(base64) on the host. Python is not required.
seealso:
  - module: patchtide.hybrid.linux_patch
"""

EXAMPLES = r"""
- name: Check the security repository
  patchtide.hybrid.linux_repositories:
    repositories:
      - name: debian-security
        manager: apt
        urls: ["https://mirror.example.com/debian-security"]
        suites: [bookworm-security]
        components: [main]
        replaces: ["http://*.debian.org/debian-security"]
  register: checked

- name: Correct it, for good if it was wrong three times in 90 days
  patchtide.hybrid.linux_repositories:
    repositories:
      - name: appstream
        manager: dnf
        urls: ["https://mirror.example.com/{snapshot}/appstream"]
        snapshot: "20260601"
        fingerprints: ["0000 1111 2222 3333 4444 5555 6666 7777 8888 9999"]
    repair: by_trend
    history_file: repositories.jsonl
"""

RETURN = r"""
differences:
  description:
    - What differed before a repair, each with C(repository), C(code) and C(text).
    - The code is V(missing), V(disabled), V(wrong_url), V(wrong_snapshot), V(wrong_components), V(unsigned),
      V(wrong_key), V(key_expired), V(clock), V(open) or V(unproven).
  returned: success
  type: list
  elements: dict
  sample: [{repository: debian-security, code: wrong_snapshot, text: "it is at snapshot 20260501, 20260601 expected"}]
remaining:
  description: What still differs, or why the package lists could not be refreshed after a repair (V(unreadable)).
  returned: success
  type: list
  elements: dict
  sample: []
proposal:
  description: V(once) or V(permanent), by the number of incidents. Empty if nothing differs.
  returned: success
  type: str
  sample: once
incidents:
  description: How often differences appeared in O(trend_days), the present ones included.
  returned: success
  type: int
  sample: 1
repair:
  description: The repair that was made, V(once) or V(permanent). Empty if none was.
  returned: success
  type: str
  sample: once
files:
  description: Files on the host that were written.
  returned: success
  type: list
  elements: str
  sample: [/etc/apt/sources.list.d/debian-security.sources]
kept_in:
  description: Directory on the host with the replaced files. Empty if none was replaced.
  returned: success
  type: str
  sample: /var/lib/patchtide/repositories/2026-06-10T010000Z
"""
