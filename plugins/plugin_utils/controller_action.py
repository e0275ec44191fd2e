# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Base of our action plugins: they run on the controller, need no connection, and return errors as results."""

from __future__ import annotations

import getpass
import os
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, ClassVar

import yaml
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

from ..module_utils._core.errors import BadInput, PatchtideError
from .progress import SignOfLife
from .rollout.large_json import leave_parent_alone, parse_shared

display = Display()


NO_NODES = (
    "No inventory host says how it is patched (patchtide_executor). "
    "Was the inventory given with -i, and could it be read? See the warnings above."
)


class EmptyInventory(PatchtideError):
    """There is nothing to work on, which is never what somebody wanted who patches."""

    code = "EmptyInventory"


class ControllerAction(ActionBase):
    """Checks the options against ``SPEC`` and calls ``act``; an error of ours becomes a failed result."""

    TRANSFERS_FILES = False
    _requires_connection = False
    _supports_check_mode = True
    SPEC: ClassVar[dict[str, Any]] = {}
    RULES: ClassVar[dict[str, Any]] = {}
    _life: SignOfLife | None = None

    def run(self, tmp: None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        leave_parent_alone()
        result: dict[str, Any] = super().run(tmp, task_vars)
        try:
            _unused, options = self.validate_argument_spec(argument_spec=self.spec(), **self.RULES)
            with self.sign_of_life(options, task_vars or {}) as self._life:
                return {**result, **self.act(options, task_vars or {})}
        except PatchtideError as error:
            return {**result, "failed": True, "msg": str(error), "error": error.to_dict()}

    def spec(self) -> dict[str, Any]:
        return self.SPEC

    def sign_of_life(self, options: Mapping[str, Any], task_vars: Mapping[str, Any]) -> SignOfLife:
        """Return what speaks where the action is silent for long."""
        return SignOfLife(self.say)

    def act(self, options: Mapping[str, Any], task_vars: Mapping[str, Any]) -> dict[str, Any]:
        """Do the work and return the result's members, ``changed`` among them."""
        raise NotImplementedError

    @property
    def check_mode(self) -> bool:
        return bool(self._task.check_mode)

    @property
    def diff_mode(self) -> bool:
        return bool(self._task.diff)

    def say(self, line: str) -> None:
        """Show one line at once, in a terminal and in AWX's log alike."""
        display.display(f"    {line}")
        if self._life:
            self._life.said(line)


def read_json(path: Path, option: str) -> Any:
    """Read a JSON file of ours; equal patches in it are one object (``parse_shared``).

    :raises BadInput: it is missing or not JSON.
    """
    try:
        return parse_shared(path.read_text("utf-8"))
    except FileNotFoundError:
        raise BadInput(option, str(path), "an existing file; run the step that writes it first") from None
    except (OSError, ValueError) as error:
        raise BadInput(option, str(path), f"a readable JSON file ({error})") from error


def read_document(path: str | Path, option: str) -> Any:
    """Read a YAML or JSON file that a person wrote.

    :raises BadInput: it is missing or neither.
    """
    try:
        return yaml.safe_load(Path(path).read_text("utf-8"))
    except FileNotFoundError:
        raise BadInput(option, str(path), "an existing file") from None
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise BadInput(option, str(path), f"a readable YAML or JSON file ({' '.join(str(error).split())})") from error


def write_text(path: Path, text: str) -> bool:
    """Write a file as a whole or not at all; return whether its content changed."""
    return write_bytes(path, text.encode("utf-8", "surrogatepass"))


def write_bytes(path: Path, data: bytes) -> bool:
    """Write a file as a whole or not at all; return whether its content changed."""
    if path.exists() and path.read_bytes() == data:
        return False
    _replace(path, [data])
    return True


def write_pieces(path: Path, pieces: Iterable[str]) -> None:
    """Write a large file as a whole or not at all, without ever holding all of it."""
    _replace(path, (piece.encode("utf-8", "surrogatepass") for piece in pieces))


def _replace(path: Path, pieces: Iterable[bytes]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.writelines(pieces)
        Path(name).chmod(0o644 & ~_umask())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def operator(task_vars: Mapping[str, Any]) -> str:
    """Name who runs this: the AWX user where AWX runs it, else the user of the controller."""
    for name in ("awx_user_name", "tower_user_name"):
        if task_vars.get(name):
            return str(task_vars[name])
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return str(os.getuid())
