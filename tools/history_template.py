"""Writes what templates have of the schema of the history: the tables of Athena, and the data sets of QuickSight.

``files()`` is what a check compares the templates with. Types of a view's columns are those that DuckDB finds.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ansible_collections.patchtide.hybrid.plugins.module_utils._core.history.datasets import (
    COMMON,
    COUNT,
    DATASETS,
    FLAG,
    NUMBER,
    PARTITION,
    PUBLICATIONS,
    TEXT,
)
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.history.duck import connect
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.history.read import create_views
from running import ROOT
from template_parts import Call, Row, remade

HISTORY, DASHBOARD = (ROOT / "templates" / f"{name}.template" for name in ("history", "dashboard"))
#: Types of columns in Hive's words, which Glue has (Athena user guide, data types).
_HIVE = {TEXT: "string", COUNT: "bigint", NUMBER: "double", FLAG: "boolean"}
#: Types of DuckDB in the words of QuickSight. Days are text, because QuickSight reads no DATE of a custom query.
_QUICKSIGHT = {"VARCHAR": "STRING", "BIGINT": "INTEGER", "HUGEINT": "INTEGER", "DOUBLE": "DECIMAL", "DATE": "STRING"}
#: Views that the dashboard shows. Each has an owner, by which rows are limited.
VIEWS = ("compliance_now", "compliance_days", "ageing_now", "rollout_owners", "coverage_now")
RULES = "AccessRules"


def files() -> Iterator[tuple[Path, str]]:
    """Yield each template with its text as it should be."""
    yield HISTORY, remade(HISTORY.read_text("utf-8"), {"tables": dict(_tables())})
    columns = view_columns()
    made = {
        "data sets": {f"{_title(view)}Data": _data_set(view, columns[view]) for view in VIEWS},
        "placeholders": [_placeholder(view, columns[view]) for view in VIEWS],
        "references": [
            {"DataSetPlaceholder": view, "DataSetArn": Call(GetAtt=f"{_title(view)}Data.Arn")} for view in VIEWS
        ],
    }
    yield DASHBOARD, remade(DASHBOARD.read_text("utf-8"), made)


def view_columns() -> dict[str, dict[str, str]]:
    """Return the columns of each view that the dashboard shows, with DuckDB's types."""
    with connect(":memory:") as database:
        database.execute(f"CREATE TABLE publications ({_typed(PUBLICATIONS)})")
        for name, known in DATASETS.items():
            rest = dict.fromkeys(PARTITION, TEXT)
            database.execute(f"CREATE TABLE {name} ({_typed({**known.columns, **COMMON, **rest})})")
        create_views(database)
        return {view: {row[0]: row[1] for row in database.execute(f"DESCRIBE {view}").fetchall()} for view in VIEWS}


def _typed(columns: Mapping[str, str]) -> str:
    return ", ".join(f"{name} {kind}" for name, kind in columns.items())


def _title(name: str) -> str:
    return "".join(part.capitalize() for part in name.split("_"))


def _tables() -> Iterator[tuple[str, dict[str, Any]]]:
    yield "PublicationsTable", _table("publications", PUBLICATIONS, "published", partitioned=False)
    for name, known in DATASETS.items():
        yield f"{_title(name)}Table", _table(name, {**known.columns, **COMMON}, name, partitioned=True)


def _table(name: str, columns: Mapping[str, str], folder: str, *, partitioned: bool) -> dict[str, Any]:
    """Pointers are lines of JSON in any history; rows are in its format."""
    where = f"s3://${{Bucket}}/${{Folder}}/{folder}"
    form: Any = Call(Ref="Format") if partitioned else "jsonl"
    projected = {f"projection.{key}": value for key, value in _projection().items()} if partitioned else {}
    template = "/".join([where, *(f"{key}=${{!{key}}}" for key in PARTITION)])
    parameters = {"EXTERNAL": "TRUE", **projected}
    if partitioned:
        parameters["storage.location.template"] = Call(Sub=f"{template}/")
    found: dict[str, Any] = {
        "Name": name,
        "TableType": "EXTERNAL_TABLE",
        "Parameters": parameters,
        "StorageDescriptor": {
            "Location": Call(Sub=f"{where}/"),
            "InputFormat": Call(FindInMap=["Formats", form, "Input"]),
            "OutputFormat": Call(FindInMap=["Formats", form, "Output"]),
            "SerdeInfo": {"SerializationLibrary": Call(FindInMap=["Formats", form, "Serde"])},
            "Columns": [Row(Name=column, Type=_HIVE[kind]) for column, kind in columns.items()],
        },
    }
    if partitioned:
        found["PartitionKeys"] = [Row(Name=key, Type="string") for key in PARTITION]
    properties = {"CatalogId": Call(Ref="AWS::AccountId"), "DatabaseName": Call(Ref="Database"), "TableInput": found}
    return {"Type": "AWS::Glue::Table", "Properties": properties}


def _projection() -> dict[str, Any]:
    """Athena user guide, supported types for partition projection: other accounts, Regions and days are not there."""
    return {
        "enabled": "true",
        "account.type": "enum",
        "account.values": Call(Join=[",", Call(Ref="Accounts")]),
        "region.type": "enum",
        "region.values": Call(Join=[",", Call(Ref="Regions")]),
        "dt.type": "date",
        "dt.format": "yyyy-MM-dd",
        "dt.range": Call(Sub="${FirstDay},NOW+1DAYS"),
    }


def _data_set(view: str, columns: Mapping[str, str]) -> dict[str, Any]:
    names = ", ".join(_selected(name, kind) for name, kind in columns.items())
    query = {
        "DataSourceArn": Call(GetAtt="Source.Arn"),
        "Name": view,
        "SqlQuery": Call(Sub=f"SELECT {names} FROM ${{DatabaseName}}.{view}"),
        "Columns": [Row(Name=name, Type=_QUICKSIGHT[kind]) for name, kind in columns.items()],
    }
    return {
        "Type": "AWS::QuickSight::DataSet",
        "Properties": {
            "AwsAccountId": Call(Ref="AWS::AccountId"),
            "DataSetId": Call(Sub=f"${{Prefix}}-{view.replace('_', '-')}"),
            "Name": Call(Sub=f"${{Prefix}} {view}"),
            "ImportMode": "DIRECT_QUERY",
            "PhysicalTableMap": {"query": {"CustomSql": query}},
            "RowLevelPermissionDataSet": {
                "Arn": Call(GetAtt=f"{RULES}.Arn"),
                "PermissionPolicy": "GRANT_ACCESS",
                "FormatVersion": "VERSION_1",
                "Status": "ENABLED",
            },
            "Permissions": [
                {"Principal": Call(Ref="AdminArn"), "Actions": Call(FindInMap=["Actions", "DataSet", "All"])}
            ],
        },
    }


def _selected(name: str, kind: str) -> str:
    return f"CAST({name} AS varchar) AS {name}" if kind == "DATE" else name


def _placeholder(view: str, columns: Mapping[str, str]) -> dict[str, Any]:
    rows = [Row(Name=name, DataType=_QUICKSIGHT[kind]) for name, kind in columns.items()]
    return {"Placeholder": view, "DataSetSchema": {"ColumnSchemaList": rows}}


if __name__ == "__main__":
    for path, text in files():
        path.write_text(text, "utf-8")
