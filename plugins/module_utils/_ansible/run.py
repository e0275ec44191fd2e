# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The only caller of exit_json and fail_json: runs one use case in every account-Region and returns one shape.

The doc fragment ``places`` describes the shape for users.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial
from typing import Any, NoReturn, Protocol, TypeVar

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.module_utils.common.warnings import warn
from ansible_collections.amazon.aws.plugins.module_utils.botocore import get_aws_connection_info
from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule

from .._aws.session import Sessions, each_place
from .._core.change import Change, to_data, to_dict
from .._core.errors import BadInput, PatchtideError
from .._core.failed_places import failed_place, failed_text
from .._core.model import Place
from .spec import PLACES, to_connection, to_module_places

T = TypeVar("T")
Row = dict[str, Any]
Outcome = tuple[Place, Any, "PatchtideError | None"]


class Noun(Protocol[T]):
    """An object that a module manages in one account-Region. Its errors are ``PatchtideError``."""

    def plan(self) -> Change[T]:
        """Read the current state and return the required change. Writes nothing."""

    def apply(self, change: Change[T]) -> T | None:
        """Apply the change and return the resulting object."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A kind of object that a module manages.

    :param name: the key of the object in each row, such as ``patch_baseline``.
    :param spec: the options of one object, and ``rules`` between them, such as ``required_one_of``.
    :param header: returns the name of an object in the diff, from its options.
    :param port: returns the port to objects of this kind, from the SSM client of an account-Region.
    :param make: returns what manages the object of these options through a port.
    """

    name: str
    spec: Mapping[str, Any]
    rules: Mapping[str, Any]
    header: Callable[[Mapping[str, Any]], str]
    port: Callable[[Any], Any]
    make: Callable[[Any, Mapping[str, Any]], Noun[Any]]


def aws_module(spec: Mapping[str, Any], **rules: Any) -> AnsibleAWSModule:
    """Return a module with the AWS connection options, the account-Region options and ``spec``, with check mode."""
    return AnsibleAWSModule(argument_spec={**PLACES, **spec}, supports_check_mode=True, **rules)


def run_noun(
    module: AnsibleAWSModule, name: str, make: Callable[[Sessions, Place], Noun[Any]], header: str
) -> NoReturn:
    """Apply one object's declared state in every account-Region, or predict the change in check mode.

    :param name: the key of the object in each row, such as ``patch_baseline``.
    :param header: name of the object in the diff.
    """

    def work(sessions: Sessions, place: Place) -> Row:
        return _settle(module, place, name, make(sessions, place), header)

    run_places(module, work)


def run_kind(module: AnsibleAWSModule, kind: Kind) -> NoReturn:
    """Apply one object of a kind, as the options of the module declare it."""
    options = module.params

    def make(sessions: Sessions, place: Place) -> Noun[Any]:
        return kind.make(kind.port(sessions.client("ssm", place)), options)

    run_noun(module, kind.name, make, kind.header(options))


def run_objects(module: AnsibleAWSModule, kinds: Mapping[str, Kind]) -> NoReturn:
    """Apply many objects in every account-Region, one after another in each, and exit with one row for each of them.

    An object that fails does not keep the next one from being applied.

    :param kinds: by the name of the option that lists the options of their objects, in the order to apply them.
    """

    def work(sessions: Sessions, place: Place) -> list[Row]:
        # One port for all objects of a kind: it reads only once what they have in common.
        ports = {option: cache(partial(_open, kind, sessions, place)) for option, kind in kinds.items()}
        return [_attempt(module, place, option, kinds[option], ports[option], options) for option, options in objects]

    try:
        objects = list(_objects(module.params, kinds))
    except BadInput as error:
        _refuse(module, error, _OBJECTS)
    outcomes = _ask(module, work, empty=_OBJECTS)
    rows = [row for _place, found, _error in outcomes for row in found or ()]
    done, failed = [row for row in rows if "error" not in row], [row for row in rows if "error" in row]
    report: Row = {
        "changed": any(row["changed"] for row in done),
        "objects": [{key: item for key, item in row.items() if key != "diff"} for row in done],
        "failed_objects": [{**row, "error": row["error"].to_dict()} for row in failed],
    }
    if diffs := [row["diff"] for row in done if "diff" in row]:
        report["diff"] = diffs
    first = {row["place"]: row["error"] for row in reversed(failed)}
    _exit(module, [(place, found, error or first.get(place.label)) for place, found, error in outcomes], report)


_OBJECTS: Row = {"changed": False, "objects": [], "failed_objects": []}


def _objects(params: Mapping[str, Any], kinds: Mapping[str, Kind]) -> Iterator[tuple[str, Row]]:
    """Yield the checked options of each object with the option that lists it. :raises BadInput: some are wrong."""
    for option, kind in kinds.items():
        validator = ArgumentSpecValidator(dict(kind.spec), **kind.rules)
        for number, given in enumerate(params[option]):
            found = validator.validate(given)
            if found.error_messages:
                wrong = "; ".join(found.error_messages)
                raise BadInput(f"{option}[{number}]", given.get("name"), f"the options of one object: {wrong}")
            yield option, found.validated_parameters


def _open(kind: Kind, sessions: Sessions, place: Place) -> Any:
    return kind.port(sessions.client("ssm", place))


def _attempt(
    module: AnsibleAWSModule, place: Place, option: str, kind: Kind, port: Callable[[], Any], options: Row
) -> Row:
    row = {"place": place.label, **_origin(place), "kind": option, "name": options["name"]}
    try:
        noun = kind.make(port(), options)
        return {**row, **_settle(module, place, "object", noun, kind.header(options))}
    except PatchtideError as error:
        return {**row, "error": error}


def _settle(module: AnsibleAWSModule, place: Place, name: str, noun: Noun[Any], header: str) -> Row:
    """Apply one object in one account-Region, or predict the change in check mode."""
    change = noun.plan()
    after = change.after
    if change.changed and not module.check_mode:
        after = noun.apply(change)
    created = change.before is None and change.after is not None
    result: Row = {"changed": change.changed, "created": created, name: to_dict(after)}
    if module._diff and change.changed:
        result["diff"] = change.to_diff(f"{header} in {place.label}")
    return result


def run_places(module: AnsibleAWSModule, work: Callable[[Sessions, Place], Row]) -> NoReturn:
    """Run ``work`` in every account-Region and exit with one row each in ``places`` or ``failed_places``.

    ``work`` returns ``{"changed": bool, <name of the object>: object, "diff": …}``.
    """
    outcomes = _ask(module, work, empty={"changed": False, "places": []})
    rows = [{"place": place.label, **_origin(place), **result} for place, result, error in outcomes if error is None]
    report: Row = {
        "changed": any(row["changed"] for row in rows),
        "places": [{key: item for key, item in row.items() if key != "diff"} for row in rows],
    }
    if diffs := [row["diff"] for row in rows if "diff" in row]:
        report["diff"] = diffs
    _exit(module, outcomes, report)


def run_info(
    module: AnsibleAWSModule,
    name: str,
    read: Callable[[Sessions, Place], Sequence[Any]],
    summarise: Callable[[Sequence[Any]], Row] | None = None,
) -> NoReturn:
    """Read rows in every account-Region and exit with one flat list ``name``; each row names its account and Region.

    :param read: returns plain data or core values, one item per row.
    :param summarise: returns further members of the result, computed from the rows that ``read`` returned.
    """
    outcomes = _ask(module, read, empty={"changed": False, name: []})
    found = [(place, result) for place, result, error in outcomes if error is None]
    rows = [{**_origin(place), **row} for place, result in found for row in to_data(result)]
    more = summarise([item for _place, result in found for item in result]) if summarise else {}
    _exit(module, outcomes, {"changed": False, name: rows, **more})


def _ask(module: AnsibleAWSModule, work: Callable[[Sessions, Place], Any], empty: Row) -> list[Outcome]:
    """Run ``work`` in every account-Region that the options select; fail with ``empty`` results if they select none."""
    try:
        info = get_aws_connection_info(module)
        sessions = Sessions(to_connection(info, module.params.get("aws_config"), module.params.get("role_cache")))
        places = _identified(sessions, to_module_places(module.params, info[0], sessions))
        return each_place(places, lambda place: work(sessions, place))
    except PatchtideError as error:
        _refuse(module, error, empty)


def _refuse(module: AnsibleAWSModule, error: PatchtideError, empty: Row) -> NoReturn:
    module.fail_json(msg=str(error), error=error.to_dict(), failed_places=[], **empty)
    raise AssertionError("fail_json ends the module") from error


def _identified(sessions: Sessions, places: Sequence[Place]) -> list[Place]:
    """Fill in the account if no role has it. If STS does not answer, it remains unknown, and the work may still
    succeed.
    """
    unknown = [place for place in places if place.account is None]
    if not unknown:
        return list(places)
    try:
        account = sessions.own_account(unknown[0].region, retry=False)
    except PatchtideError:
        return list(places)
    return [replace(place, account=place.account or account) for place in places]


def _exit(module: AnsibleAWSModule, outcomes: Sequence[Outcome], report: Row) -> NoReturn:
    failed = [failed_place(place.label, error.to_dict()) for place, _result, error in outcomes if error]
    report["failed_places"] = failed
    if failed and (len(failed) == len(outcomes) or module.params["on_place_error"] == "fail"):
        module.fail_json(msg=failed_text(len(outcomes), failed), **report)
    for row in failed:
        warn(f"{row['place']}: {row['error']['message']}")  # module.warn of amazon.aws 10 is deprecated by ansible-core
    module.exit_json(**report)
    raise AssertionError("exit_json ends the module")


def _origin(place: Place) -> Row:
    return {"account": place.account, "region": place.region}
