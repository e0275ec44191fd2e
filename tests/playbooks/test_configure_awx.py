# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The whole playbook as a user runs it; tests/contract/test_awx_content.py runs its modules without processes."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from threading import Thread

import pytest
from werkzeug.serving import make_server

from tests.fakes.awx_objects import FakeAwxObjects

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
def test_awx_is_configured_once(tmp_path: Path) -> None:
    awx = FakeAwxObjects()
    server = make_server("127.0.0.1", 0, awx, threaded=True)
    Thread(target=server.serve_forever, daemon=True).start()
    command = [str(Path(sys.executable).with_name("ansible-playbook")), "patchtide.hybrid.configure_awx"]
    changed = []
    for _twice in range(2):
        done = subprocess.run(
            [*command, "-e", f"patchtide_awx_settings={ROOT / 'awx' / 'settings.yml'}"],
            env={
                **os.environ,
                "ANSIBLE_COLLECTIONS_PATH": str(ROOT / "build" / "tree"),
                "ANSIBLE_NOCOLOR": "true",
                "CONTROLLER_HOST": f"http://127.0.0.1:{server.server_port}",
                "CONTROLLER_OAUTH_TOKEN": "t0ken",
                "HOME": str(tmp_path),
            },
            cwd=tmp_path,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        changed += re.findall(r" changed=(\d+) ", done.stdout)
    server.shutdown()
    assert int(changed[0]) > 10 and changed[1] == "0" and len(awx.rows["job_templates"]) >= 18
