# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Freeze calendars as the rollout reads them: an iCalendar file and SSM's change calendar say the same."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.errors import PatchtideError
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.policy.values import FreezeCalendars
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.times.calendars import Calendar, closed_periods
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.aws_options import aws_spec
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.rollout.guards import read_calendars

from lab.aws.launch import Lab

REGION = "eu-central-1"
START = datetime(2026, 11, 17, 22, tzinfo=timezone.utc)
SPAN = (START, START + timedelta(hours=4))
ICS = "\r\n".join(
    (
        *("BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//AWS//Change Calendar 1.0//EN", "X-CALENDAR-TYPE:DEFAULT_{kind}"),
        *("BEGIN:VEVENT", "UID:1", "SUMMARY:Quarter end", "DTSTAMP:20261101T000000Z"),
        *("DTSTART:20261117T230000Z", "DTEND:20261118T003000Z", "END:VEVENT", "END:VCALENDAR", ""),
    )
)


@pytest.fixture
def options(aws: Lab, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    aws.reset()
    for name, value in aws.environment(REGION).items():
        monkeypatch.setenv(name, value)
    return dict.fromkeys(aws_spec())


def store(aws: Lab, name: str, kind: str) -> None:
    content = ICS.replace("{kind}", kind)
    request = {"Name": name, "Content": content, "DocumentType": "ChangeCalendar", "DocumentFormat": "TEXT"}
    aws.client("ssm", REGION).create_document(**request)


def closed(calendars: list[Calendar]) -> list[tuple[datetime, datetime]]:
    return [(item.start, item.end) for item in closed_periods(calendars, *SPAN)]


@pytest.mark.parametrize("kind", ["OPEN", "CLOSED"])
def test_file_and_change_calendar_agree(kind: str, aws: Lab, options: dict[str, Any], tmp_path: Path) -> None:
    store(aws, "contoso-freeze", kind)
    (tmp_path / "freeze.ics").write_text(ICS.replace("{kind}", kind))
    by_file = read_calendars(FreezeCalendars(ics=(str(tmp_path / "freeze.ics"),)), [SPAN], options)
    by_name = read_calendars(FreezeCalendars(change_calendars=("contoso-freeze",)), [SPAN], options)
    event = (START + timedelta(hours=1), START + timedelta(hours=2, minutes=30))
    assert closed(by_file) == closed(by_name)
    assert closed(by_name) == ([event] if kind == "OPEN" else [(SPAN[0], event[0]), (event[1], SPAN[1])])


def test_an_arn_is_asked_in_its_own_region(aws: Lab, options: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    store(aws, "contoso-freeze", "OPEN")
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    arn = f"arn:aws:ssm:{REGION}:{aws.home_account}:document/contoso-freeze"
    assert len(closed(read_calendars(FreezeCalendars(change_calendars=(arn,)), [SPAN], options))) == 1


def test_a_calendar_that_is_not_there_stops_everything(options: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(PatchtideError, match="nowhere"):
        read_calendars(FreezeCalendars(change_calendars=("nowhere",)), [SPAN], options)
    with pytest.raises(PatchtideError, match=r"freeze\.ics: .*no\.ics"):
        read_calendars(FreezeCalendars(ics=(str(tmp_path / "no.ics"),)), [SPAN], options)
