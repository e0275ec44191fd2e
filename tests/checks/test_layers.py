"""Who may import and call what; docs/architecture.md has the table."""

from __future__ import annotations

import sys
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

from tests.checks.source import PLUGINS, ROOT, UTILS, called_names, code_lines, imports, name_of, python_files

OWN = "plugins."
#: Standard library modules that reach the world: clock, environment, randomness, files, network, processes.
WORLD = frozenset(
    (
        *("asyncio", "builtins", "fcntl", "ftplib", "getpass", "glob", "http", "logging", "multiprocessing", "os"),
        *("pathlib", "platform", "random", "secrets", "select", "shutil", "signal", "smtplib", "socket", "sqlite3"),
        *("ssl", "subprocess", "tempfile", "threading", "time", "urllib.request", "uuid"),
    )
)
#: Pure parts of modules that otherwise reach the world.
PURE = frozenset({"urllib.parse"})
WORLDLY_CALLS = frozenset({"open", "print", "input", "exec", "eval", "breakpoint"})
WORLDLY_ATTRIBUTES = (".now", ".utcnow", ".today", ".sleep", ".environ", ".getenv", ".urandom", ".uuid4")
SDK = ("boto3", "botocore", "azure")
EXITS = (".exit_json", ".fail_json", ".fail_json_aws")
MODULE_LINES = 80


def files(*places: str) -> list[pytest.ParameterSet]:
    found = [path for place in places for path in python_files(PLUGINS / place)]
    return [pytest.param(path, id=name_of(path)) for path in found]


def imported(path: Path, *prefixes: str) -> list[str]:
    """Return the imports of a file that begin with one of the dotted prefixes."""
    return [
        f"{name_of(path)}:{line} {module}"
        for line, module in imports(path)
        if any(f"{module}.".startswith(f"{prefix}.") for prefix in prefixes)
    ]


def test_there_is_something_to_check() -> None:
    for layer in ("_core", "_aws", "_azure", "_ansible"):
        assert python_files(UTILS / layer), layer
    assert python_files(PLUGINS / "modules")


@pytest.mark.parametrize("path", files("module_utils/_core"))
def test_core_uses_the_pure_standard_library_alone(path: Path) -> None:
    wrong = []
    for line, module in imports(path):
        top = module.split(".")[0]
        own = module.startswith(f"{OWN}module_utils._core")
        pure = top in sys.stdlib_module_names and top not in WORLD and module not in WORLD
        if not own and not pure and module not in PURE:
            wrong.append(f"{name_of(path)}:{line} imports {module}")
    assert not wrong


@pytest.mark.parametrize("path", files("module_utils/_core"))
def test_core_never_reaches_the_world(path: Path) -> None:
    wrong = [
        f"{name_of(path)}:{line} {name}"
        for line, name in called_names(path)
        if name in WORLDLY_CALLS or (name.endswith(WORLDLY_ATTRIBUTES) and not _is_injected(name))
    ]
    assert not wrong


def _is_injected(name: str) -> bool:
    """A value or a clock handed in may be asked; ``datetime``, ``date`` and modules may not."""
    owner = name.lower().rsplit(".", 1)[0]
    return "clock" in owner or owner == "self"


@pytest.mark.parametrize("path", files("module_utils/_aws"))
def test_aws_knows_neither_ansible_nor_azure(path: Path) -> None:
    assert not imported(path, "ansible", "azure", f"{OWN}module_utils._ansible", f"{OWN}module_utils._azure")


@pytest.mark.parametrize("path", files("module_utils/_azure"))
def test_azure_knows_neither_ansible_nor_aws(path: Path) -> None:
    wrong = ("ansible", "boto3", "botocore", f"{OWN}module_utils._ansible", f"{OWN}module_utils._aws")
    assert not imported(path, *wrong)


@pytest.mark.parametrize(
    "path", files("modules", "inventory", "action", "plugin_utils", "module_utils/_core", "module_utils/_ansible")
)
def test_only_the_adapters_know_an_sdk(path: Path) -> None:
    assert not imported(path, *SDK)


@pytest.mark.parametrize(
    "path", files("modules", "module_utils/_core", "module_utils/_aws", "module_utils/_azure", "plugin_utils")
)
def test_only_the_ansible_layer_ends_a_module(path: Path) -> None:
    assert not [f"{name_of(path)}:{line} {name}" for line, name in called_names(path) if name.endswith(EXITS)]


@pytest.mark.parametrize("path", files("."))
def test_collection_never_imports_lab_tests_or_itself_by_full_name(path: Path) -> None:
    assert not imported(path, "lab", "bench", "tests", "tools", "ansible_collections.patchtide")


@pytest.mark.parametrize("path", files("module_utils"))
def test_what_travels_to_hosts_knows_nothing_of_the_controller(path: Path) -> None:
    wrong = ("plugin_utils", "action", "inventory", "modules")
    assert not imported(path, *(f"{OWN}{name}" for name in wrong))


@pytest.mark.parametrize("path", files("modules"))
def test_modules_are_wiring(path: Path) -> None:
    assert code_lines(path) <= MODULE_LINES, "move logic into _core"


@pytest.mark.parametrize("place", ["module_utils/_core", "plugin_utils"])
def test_rooms_know_one_another_in_one_direction(place: str) -> None:
    """A room is a folder, or a file that lies loose; what it imports must not lead back to it."""
    rooms = _rooms(PLUGINS / place)
    assert len(rooms) > 8
    order = TopologicalSorter(rooms)
    try:
        order.prepare()
    except CycleError as error:
        pytest.fail(f"these import one another: {' -> '.join(error.args[1])}")


def _rooms(root: Path) -> dict[str, set[str]]:
    """Return each room with the rooms that it imports."""
    base = ".".join(root.relative_to(ROOT).parts)
    found: dict[str, set[str]] = {}
    for path in python_files(root):
        mine = _room_of(path.relative_to(root).with_suffix("").parts)
        others = {
            _room_of(tuple(module.removeprefix(f"{base}.").split(".")))
            for _line, module in imports(path)
            if module.startswith(f"{base}.")
        }
        found.setdefault(mine, set()).update(others - {mine})
    return found


def _room_of(parts: tuple[str, ...]) -> str:
    return "/".join(parts[:-1]) or parts[-1]


def test_few_files_of_the_core_lie_loose() -> None:
    assert len(list((UTILS / "_core").glob("*.py"))) <= 20
