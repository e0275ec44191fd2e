# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs modules in a fork of Ansible's worker, instead of packing each of them for a Python of its own.

A target calls its modules hundreds of times, and most of such a call is packing and imports. ansible.netcommon runs
modules in the same way for the same reason (``import_modules``). The arguments a module gets, the JSON it answers with
and everything that Ansible does before and after it are the same; that a module works when it is packed is shown by the
examples of the documentation, each of which runs as users run it.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import traceback
from collections.abc import Mapping
from typing import Any, NoReturn

from ansible.module_utils._internal._ansiballz import _loader
from ansible.module_utils.common.json import Direction, get_module_encoder
from ansible.plugins.action import ActionBase
from ansible.utils.vars import merge_hash
from ansible.vars.clean import remove_internal_keys

OURS = "patchtide.hybrid."
PROFILE = "legacy"


class ActionModule(ActionBase):
    """Stands in for the action that runs every module without an action of its own."""

    _supports_check_mode = True

    def run(self, tmp: Any = None, task_vars: Any = None) -> Any:
        result = super().run(tmp, task_vars)
        if not self._task.action.startswith(OURS):
            return merge_hash(result, self._execute_module(task_vars=task_vars))
        arguments, environment = self._task.args, {}
        self._update_module_args(self._task.action, arguments, task_vars)
        self._compute_environment_string(environment)
        data = self._parse_returned_data(run(self._task.action, arguments, environment), PROFILE)
        remove_internal_keys(data)
        return merge_hash(result, data)


def run(name: str, arguments: Mapping[str, Any], environment: Mapping[str, Any]) -> dict[str, str]:
    """Run a module in a fork of this process; return what it printed, as a connection does."""
    with tempfile.TemporaryFile() as stdout, tempfile.TemporaryFile() as stderr:
        child = os.fork()
        if not child:
            become(name, arguments, environment, stdout.fileno(), stderr.fileno())
        os.waitpid(child, 0)
        texts = []
        for stream in (stdout, stderr):
            stream.seek(0)
            texts.append(stream.read().decode(errors="surrogateescape"))
    return {"stdout": texts[0], "stderr": texts[1]}


def become(
    name: str, arguments: Mapping[str, Any], environment: Mapping[str, Any], stdout: int, stderr: int
) -> NoReturn:
    """Go on as a module, as AnsiballZ starts one (``ansible.module_utils._internal._ansiballz._loader``)."""
    status = 1
    try:
        os.dup2(stdout, 1)
        os.dup2(stderr, 2)
        sys.stdout, sys.stderr = os.fdopen(1, "w"), os.fdopen(2, "w")
        os.environ.update({key: str(value) for key, value in environment.items()})
        collection, _dot, module = name.rpartition(".")
        encoder = get_module_encoder(PROFILE, Direction.CONTROLLER_TO_MODULE)
        _loader.run_module(
            json_params=json.dumps({"ANSIBLE_MODULE_ARGS": arguments}, cls=encoder).encode(),
            profile=PROFILE,
            module_fqn=f"ansible_collections.{collection}.plugins.modules.{module}",
            modlib_path="",
            extensions={},
        )
    except SystemExit as end:
        status = 1 if end.code else 0
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)
