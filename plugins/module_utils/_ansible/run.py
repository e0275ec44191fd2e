# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The only caller of exit_json and fail_json: runs one use case at every place and reports per place."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NoReturn, Protocol, TypeVar

from ansible.module_utils.common.warnings import warn
from ansible_collections.amazon.aws.plugins.module_utils.botocore import get_aws_connection_info
from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule

from .._aws.session import Sessions, each_place
from .._core.change import Change, to_data, to_dict
from .._core.errors import PatchtideError
from .._core.model import Place
from .spec import PLACES, to_connection, to_module_places

T = TypeVar("T")


class Noun(Protocol[T]):
    """What a module declares, at one place. Made by the module from a client; errors are ``PatchtideError``."""

    def plan(self) -> Change[T]:
        """Read the place and say what would change. Writes nothing."""

    def apply(self, change: Change[T]) -> T | None:
        """Carry the change out and return the object as it then is."""


def aws_module(spec: Mapping[str, Any], **rules: Any) -> AnsibleAWSModule:
    """Return a module with the AWS connection options, the place options and ``spec``; check mode supported."""
    return AnsibleAWSModule(argument_spec={**PLACES, **spec}, supports_check_mode=True, **rules)


def run_noun(
    module: AnsibleAWSModule, name: str, make: Callable[[Sessions, Place], Noun[Any]], header: str
) -> NoReturn:
    """Bring one noun into its declared state at every place, or only predict it in check mode.

    :param name: the key under which the object is returned, such as ``patch_baseline``.
    :param header: names the object in the diff.
    """

    def work(sessions: Sessions, place: Place) -> dict[str, Any]:
        noun = make(sessions, place)
        change = noun.plan()
        after = change.after
        if change.changed and not module.check_mode:
            after = noun.apply(change)
        created = change.before is None and change.after is not None
        result: dict[str, Any] = {"changed": change.changed, "created": created, name: to_dict(after)}
        if module._diff and change.changed:
            result["diff"] = change.to_diff(f"{header} in {place.label}")
        return result

    run_places(module, name, work)


def run_info(module: AnsibleAWSModule, name: str, read: Callable[[Sessions, Place], Any]) -> NoReturn:
    """Read something at every place and return it under ``name``; ``read`` returns plain data or core values."""
    run_places(module, name, lambda sessions, place: {"changed": False, name: to_data(read(sessions, place))})


def run_places(module: AnsibleAWSModule, name: str, work: Callable[[Sessions, Place], dict[str, Any]]) -> NoReturn:
    """Run ``work`` at every place and exit: results per place, failures beside them, nothing hidden.

    ``work`` returns ``{"changed": bool, name: object, "diff": …}``. With one place they are also the module's own.
    """
    try:
        info = get_aws_connection_info(module)
        sessions = Sessions(to_connection(info, module.params.get("aws_config")))
        places = to_module_places(module.params, info[0], sessions)
        outcomes = each_place(places, lambda place: work(sessions, place))
    except PatchtideError as error:
        module.fail_json(msg=str(error), error=error.to_dict())
    _exit(module, name, outcomes)


def _exit(
    module: AnsibleAWSModule,
    name: str,
    outcomes: Sequence[tuple[Place, dict[str, Any] | None, PatchtideError | None]],
) -> NoReturn:
    rows = [_row(place, result, error) for place, result, error in outcomes]
    failed = [row for row in rows if "error" in row]
    report: dict[str, Any] = {
        "changed": any(row.get("changed", False) for row in rows),
        "places": [{key: item for key, item in row.items() if key != "diff"} for row in rows],
        "failed_places": [row["place"] for row in failed],
    }
    if len(rows) == 1 and not failed:
        report[name] = rows[0][name]
    if diffs := [row["diff"] for row in rows if "diff" in row]:
        report["diff"] = diffs
    if failed and (len(failed) == len(rows) or module.params["on_place_error"] == "fail"):
        module.fail_json(msg=_summary(rows, failed), **report)
    for row in failed:
        warn(f"{row['place']}: {row['error']['message']}")  # module.warn of amazon.aws 10 is deprecated by ansible-core
    module.exit_json(**report)
    raise AssertionError("exit_json ends the module")


def _row(place: Place, result: dict[str, Any] | None, error: PatchtideError | None) -> dict[str, Any]:
    row: dict[str, Any] = {"place": place.label, "account": place.account, "region": place.region}
    return {**row, "error": error.to_dict()} if error else {**row, **(result or {})}


def _summary(rows: Sequence[Mapping[str, Any]], failed: Sequence[Mapping[str, Any]]) -> str:
    if len(rows) == 1:
        return str(failed[0]["error"]["message"])
    listed = "; ".join(f"{row['place']}: {row['error']['message']}" for row in failed)
    return f"{len(failed)} of {len(rows)} places failed: {listed}"
