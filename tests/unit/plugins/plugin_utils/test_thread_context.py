# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Threads that call Ansible's plugins: they know their task, and their templates do not meet."""

from __future__ import annotations

import contextvars
import importlib
from concurrent.futures import ThreadPoolExecutor

from ansible.release import __version__
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.thread_context import own_context

TASK: contextvars.ContextVar[str] = contextvars.ContextVar("task")


def test_a_thread_knows_the_task_of_the_one_that_started_it() -> None:
    def task() -> str:
        TASK.set("wave")
        with ThreadPoolExecutor() as pool:
            return pool.submit(own_context().run, TASK.get).result()

    assert contextvars.copy_context().run(task) == "wave"


def test_templates_of_two_threads_may_end_in_any_order() -> None:
    """ansible-core 2.19 and newer raises "Out-of-order context deactivation" if they share what they register in."""
    if tuple(map(int, __version__.split(".")[:2])) < (2, 19):
        assert not [variable for variable in own_context() if variable.name == "AnsibleAccessContext"]
        return
    access = importlib.import_module("ansible._internal._templating._access")
    audit = importlib.import_module("ansible._internal._templating._datatag").DeprecatedAccessAuditContext

    def threads() -> None:
        access.AnsibleAccessContext.current()  # a template has run in this thread
        one, two = own_context(), own_context()
        first, second = audit(), audit()
        one.run(first.__enter__)
        two.run(second.__enter__)
        one.run(first.__exit__, None, None, None)
        two.run(second.__exit__, None, None, None)

    contextvars.copy_context().run(threads)
