"""The registry of executors is the only place that knows them: no quoted names, and one list in schema, docs, roles."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.executors import EXECUTORS

from tests.checks.source import PLUGINS, ROOT, name_of, parse, python_files, read_yaml, tracked

REGISTRY = PLUGINS / "module_utils" / "_core" / "executors.py"
PLACE = PLUGINS / "plugin_utils" / "executors"
#: Names that are executors where something called executor has them; elsewhere they are platforms, services or words.
NAMES = set(EXECUTORS)
#: What a template or a task compares with, or takes where there is none: ``patch_executor == 'ssm'``.
IN_TEMPLATE = re.compile(r"executor['\"\])]*\s*(?:==|!=|(?:not\s+)?in\s*[\[(]|\|\s*default\()\s*['\"](\w+)['\"]")
ROLES = sorted(path for path in (ROOT / "roles").iterdir() if path.is_dir())


def speaks_of_executor(node: ast.AST) -> bool:
    """Tell whether an expression is a variable, a member or a key that is called executor."""
    names = (
        getattr(part, "id", None) or getattr(part, "attr", None) or getattr(part, "value", None)
        for part in ast.walk(node)
        if isinstance(part, ast.Name | ast.Attribute | ast.Constant)
    )
    return any(isinstance(name, str) and re.search(r"(?:^|_)executors?$", name) for name in names)


def pairs(node: ast.AST) -> Iterator[tuple[ast.AST | None, ast.AST | None]]:
    """Yield (what names it, what it gets or is compared with) for every form in which a value meets a name."""
    if isinstance(node, ast.Compare):
        sides = [node.left, *node.comparators]
        yield from ((one, other) for one in sides for other in sides if one is not other)
    elif isinstance(node, ast.keyword):
        yield ast.Name(node.arg or ""), node.value
    elif isinstance(node, ast.Dict):
        yield from zip(node.keys, node.values, strict=True)
    elif isinstance(node, ast.Assign):
        yield from ((target, node.value) for target in node.targets)
    elif isinstance(node, ast.AnnAssign):
        yield node.target, node.value
    elif isinstance(node, ast.Subscript):
        yield node.slice, node.value
    elif isinstance(node, ast.Call):
        yield from ((one, node.func) for one in node.args)
        if any(speaks_of_executor(one) for one in (node.func, *node.args[:1])):
            yield from ((ast.Name("executor"), other) for other in node.args)
    elif isinstance(node, ast.Match):
        yield from ((node.subject, case.pattern) for case in node.cases)
    elif isinstance(node, ast.arguments):
        plain = [*node.posonlyargs, *node.args]
        yield from (
            (ast.Name(one.arg), value) for one, value in zip(reversed(plain), reversed(node.defaults), strict=False)
        )
        yield from ((ast.Name(one.arg), value) for one, value in zip(node.kwonlyargs, node.kw_defaults, strict=True))


def quoted(tree: ast.AST) -> list[str]:
    """Return the lines with an executor's name in quotes."""
    return sorted(
        {
            f"{part.lineno}: {part.value!r}"
            for node in ast.walk(tree)
            for name, value in pairs(node)
            if name is not None and value is not None and speaks_of_executor(name)
            for part in ast.walk(value)
            if isinstance(part, ast.Constant) and part.value in NAMES
        }
    )


def quoted_names(path: Path) -> list[str]:
    return quoted(parse(path))


@pytest.mark.parametrize(
    "code",
    [
        "x = node.executor == 'ssm'",
        "x = 'ssm' != node['executor']",
        "x = seen.get(f'{PREFIX}executor') in ('ssm', 'linux')",
        "x = seen.get('patchtide_executor', 'linux')",
        "f(executor='azure')",
        "f({'executor': 'ssm' if managed else ''})",
        "executor = 'windows'",
        "node['executor'] = 'linux'",
        "def f(*, executor: str = 'ssm'): ...",
        "def f(a, executor='ssm'): ...",
        "x = {'ssm': 1, 'linux': 2}[node.executor]",
        "x = {'ssm': 1, 'linux': 2}.get(node.executor)",
        "match node.executor:\n    case 'ssm': pass",
    ],
)
def test_the_rule_finds_a_quoted_executor(code: str) -> None:
    assert quoted(ast.parse(code))


@pytest.mark.parametrize(
    "code",
    [
        "client('ssm', place)",
        "x = node.platform == 'windows'",
        "x = {'platform': 'linux', 'executor': SSM.name}",
        "x = {'windows': policy.windows}.get(platform)",
        "names = ('executor', 'platform')",
        "x = node.executor == SSM.name and node.platform == 'linux'",
    ],
)
def test_the_rule_lets_platforms_and_services_be(code: str) -> None:
    assert not quoted(ast.parse(code))


OUTSIDE = [path for path in python_files(PLUGINS) if path != REGISTRY and PLACE not in path.parents]


@pytest.mark.parametrize("path", OUTSIDE, ids=name_of)
def test_no_executor_is_named_in_quotes_outside_the_registry(path: Path) -> None:
    assert not quoted_names(path)


def test_tasks_and_templates_name_served_executors_only() -> None:
    files = [path for path in tracked() if path.suffix in (".yml", ".j2") and path.parts[len(ROOT.parts)] != "tests"]
    found = {(name_of(path), name) for path in files for name in IN_TEMPLATE.findall(path.read_text(encoding="utf-8"))}
    assert found and not [row for row in found if row[1] not in EXECUTORS]
    assert not [row for row in found if row[0].startswith("plugins/")]


def test_the_schema_offers_what_is_served() -> None:
    schema = json.loads((ROOT / "schemas" / "policy.schema.json").read_text(encoding="utf-8"))
    for name in ("executors", "executor_order"):
        offered = [item["items"]["enum"] for item in _properties(schema, name)]
        assert offered and all(enum == sorted(EXECUTORS) for enum in offered)


def _properties(schema: object, name: str) -> Iterator[dict[str, dict[str, object]]]:
    if isinstance(schema, list):
        for item in schema:
            yield from _properties(item, name)
    if isinstance(schema, dict):
        found = schema.get("properties")
        if isinstance(found, dict) and name in found:
            yield found[name]
        for item in schema.values():
            yield from _properties(item, name)


@pytest.mark.parametrize("role", ROLES, ids=lambda path: path.name)
def test_roles_offer_what_is_served(role: Path) -> None:
    specs = read_yaml(role / "meta" / "argument_specs.yml")["argument_specs"]
    options = {name: option for spec in specs.values() for name, option in (spec.get("options") or {}).items()}
    served = sorted(row.name for row in EXECUTORS.values() if row.in_roles)
    assert all(options[name]["choices"] == served for name in options if name.endswith("_executor"))


def test_some_roles_have_an_executor() -> None:
    told = [role.name for role in ROLES if f"{role.name}_executor" in (role / "README.md").read_text(encoding="utf-8")]
    assert len(told) >= 4


def test_the_guides_describe_what_is_served() -> None:
    guide = (ROOT / "docs" / "inventory.md").read_text(encoding="utf-8")
    table = guide.partition("| executor | platforms | how |\n|---|---|---|\n")[2].partition("\n\n")[0]
    rows = [EXECUTORS[name] for name in sorted(EXECUTORS)]
    assert table.splitlines() == [
        f"| `{row.name}` | {', '.join(f'`{item}`' for item in row.platforms)} | {row.text} |" for row in rows
    ]
    names = ", ".join(f"`{name}`" for name in sorted(EXECUTORS))
    text = (ROOT / "docs" / "policy.md").read_text(encoding="utf-8")
    assert f"| `executors` | executor of the node: {names}." in text


def test_examples_use_what_is_served() -> None:
    places = ("docs/", "examples/", "README.md")
    names = [path for path in tracked() if path.suffix in (".yml", ".md") and name_of(path).startswith(places)]
    text = "\n".join(path.read_text(encoding="utf-8") for path in names)
    found = re.findall(r"_executor: *['\"]*(\w+)", text)
    found += [name.strip() for part in re.findall(r"executors: *\[([^\]]+)\]", text) for name in part.split(",")]
    assert found and not [name for name in found if name not in EXECUTORS]
