# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The templates of the history on AWS: what cfn-lint lets pass. No table and no dashboard was ever made of them."""

from __future__ import annotations

import re
import sys
from collections import Counter
from typing import Any

import botocore.session
import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.history.datasets import (
    COMMON,
    DATASETS,
    PARTITION,
    Part,
)
from botocore.validate import ParamValidator

from tests.checks.source import ROOT
from tests.checks.test_templates import inside, resources

sys.path.insert(0, str(ROOT / "tools"))
from history_template import VIEWS, files, view_columns


def test_the_templates_are_those_of_the_schema() -> None:
    made = dict(files())
    assert len(made) == 2
    assert all(path.read_text("utf-8") == text for path, text in made.items()), "run tools/history_template.py"


def tables() -> dict[str, dict[str, Any]]:
    return {item["TableInput"]["Name"]: item["TableInput"] for item in resources("history", "Glue::Table").values()}


def test_every_dataset_has_a_table_with_its_columns_once() -> None:
    """Glue API: names are lower-case, and a partition key is no column."""
    made = tables()
    assert set(made) == {*DATASETS, "publications", "dashboard_access"}
    for name, known in DATASETS.items():
        columns = [item["Name"] for item in made[name]["StorageDescriptor"]["Columns"]]
        assert columns == [*known.columns, *COMMON]
        assert [item["Name"] for item in made[name]["PartitionKeys"]] == list(PARTITION)
    for item in made.values():
        names = [row["Name"] for row in (*item["StorageDescriptor"]["Columns"], *item.get("PartitionKeys", []))]
        assert all(count == 1 for count in Counter(names).values()) and all(name == name.lower() for name in names)


@pytest.mark.parametrize("name", DATASETS)
def test_a_partition_that_athena_computes_is_the_folder_that_the_history_writes(name: str) -> None:
    """Athena user guide, supported types for partition projection."""
    parameters = tables()[name]["Parameters"]
    place = parameters["storage.location.template"]["Sub"]
    values = {"account": "111111111111", "region": "eu-central-1", "dt": "2026-11-28"}
    for key, value in {
        "Bucket": "past",
        "Folder": "production",
        **{f"!{key}": item for key, item in values.items()},
    }.items():
        place = place.replace(f"${{{key}}}", value)
    assert place == f"s3://past/production/{Part(name, **values).folder}/"
    kinds = {key: parameters[f"projection.{key}.type"] for key in PARTITION}
    assert kinds == {"account": "enum", "region": "enum", "dt": "date"} and parameters["projection.enabled"] == "true"
    assert parameters["projection.dt.format"] == "yyyy-MM-dd"
    spoken = parameters["projection.dt.range"]["Sub"].replace("${FirstDay}", "2026-01-01")
    assert re.fullmatch(r"\d{4}-\d\d-\d\d,NOW\+\d+DAYS", spoken)


def test_queries_go_where_the_workgroup_says_and_end_at_a_limit() -> None:
    (made,) = resources("history", "Athena::WorkGroup").values()
    rules = made["WorkGroupConfiguration"]
    assert rules["EnforceWorkGroupConfiguration"] and rules["BytesScannedCutoffPerQuery"] == {"Ref": "MaximumBytes"}
    assert rules["ResultConfiguration"]["OutputLocation"] == {"Sub": "s3://${Results}/"}
    assert rules["ResultConfiguration"]["EncryptionConfiguration"]["EncryptionOption"] == "SSE_KMS"


def test_what_readers_see_is_limited_by_owner() -> None:
    """QuickSight user guide, row-level security: the rules have GroupName and columns of the data, all of them text."""
    sets = resources("dashboard", "QuickSight::DataSet")
    rules = sets.pop("AccessRules")
    (renamed,) = rules["LogicalTableMap"]["rules"]["DataTransforms"]
    assert renamed["RenameColumnOperation"] == {"ColumnName": "group_name", "NewColumnName": "GroupName"}
    asked = rules["PhysicalTableMap"]["query"]["CustomSql"]["Columns"]
    assert asked == [{"Name": "group_name", "Type": "STRING"}, {"Name": "owner", "Type": "STRING"}]
    assert [row["Name"] for row in tables()["dashboard_access"]["StorageDescriptor"]["Columns"]] == [
        "group_name",
        "owner",
    ]
    assert len(sets) == len(VIEWS)
    for item in sets.values():
        limit = item["RowLevelPermissionDataSet"]
        assert (limit["Arn"], limit["Status"]) == ({"GetAtt": "AccessRules.Arn"}, "ENABLED")
        assert limit["PermissionPolicy"] == "GRANT_ACCESS"
        columns = item["PhysicalTableMap"]["query"]["CustomSql"]["Columns"]
        assert {"Name": "owner", "Type": "STRING"} in columns
    readers = [row for item in sets.values() for row in inside(item) if row == {"Ref": "ReaderArn"}]
    assert not readers, "who has a permission on a data set could make a dashboard of his own"


def test_the_dashboard_shows_columns_that_its_views_have() -> None:
    known = view_columns()
    (layout,) = resources("dashboard", "QuickSight::Template").values()
    definition = layout["Definition"]
    placed = {item["Placeholder"] for item in definition["DataSetConfigurations"]}
    assert placed == set(VIEWS)
    shown = [item for item in inside(definition) if isinstance(item, dict) and "ColumnName" in item]
    assert len(shown) > 20 and {item["DataSetIdentifier"] for item in shown} == set(VIEWS)
    assert all(item["ColumnName"] in known[item["DataSetIdentifier"]] for item in shown)
    for item in (item for item in inside(definition) if isinstance(item, dict) and "NumericalMeasureField" in item):
        column = item["NumericalMeasureField"]["Column"]
        assert known[column["DataSetIdentifier"]][column["ColumnName"]] in ("BIGINT", "HUGEINT", "DOUBLE")
    (sheet,) = definition["Sheets"]
    visuals = [next(iter(item.values()))["VisualId"] for item in sheet["Visuals"]]
    elements = sheet["Layouts"][0]["Configuration"]["GridLayout"]["Elements"]
    assert visuals == [item["ElementId"] for item in elements]
    fields = [item["FieldId"] for item in inside(sheet["Visuals"]) if isinstance(item, dict) and "Column" in item]
    assert len(fields) == len(set(fields))
    for kind in ("Analysis", "Dashboard"):
        (made,) = resources("dashboard", f"QuickSight::{kind}").values()
        given = made["SourceEntity"]["SourceTemplate"]["DataSetReferences"]
        assert {item["DataSetPlaceholder"] for item in given} == placed


def test_the_layout_is_one_that_quicksight_takes() -> None:
    """The members of botocore's model of CreateTemplate, with the lengths and patterns of names."""
    (layout,) = resources("dashboard", "QuickSight::Template").values()
    model = botocore.session.get_session().get_service_model("quicksight")
    shape = model.operation_model("CreateTemplate").input_shape.members["Definition"]
    report = ParamValidator().validate(layout["Definition"], shape)
    assert not report.has_errors(), report.generate_report()
    bad = {**layout["Definition"], "Sheets": [{"SheetId": "x", "Visuals": [{"LineVisual": {}}]}]}
    assert ParamValidator().validate(bad, shape).has_errors()
