# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Verifies the approvals and decisions in an evidence pack, even years later: with the bundle in the pack, as of the
time at which they were accepted. Later revocations are noted, and do not invalidate what was done."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from ...module_utils._core.errors import BadInput, PatchtideError
from ...module_utils._core.events import Approved, Decision, Event, WaveStarted
from ...module_utils._core.plan.split import as_approved
from ...module_utils._core.rollout.journal import Record
from ...module_utils._core.stamp import from_time
from ...module_utils._core.text import plain
from ...module_utils._core.trust.bundle import Bundle
from ...module_utils._core.trust.bundle_read import read_bundle
from ...module_utils._core.trust.judge import find_actors, judge
from ...module_utils._core.trust.keys import fingerprint
from ...module_utils._core.trust.operator import Operator
from ...module_utils._core.trust.pins import Pins
from ...module_utils._core.trust.ports import SignatureCheck
from ...module_utils._core.trust.prove import check_subject, prove
from ...module_utils._core.trust.signature import read_envelope
from ...module_utils._core.trust.signed_plan import SOURCE, read_signed
from ...module_utils._core.trust.statement import Statement, statement_digest
from ...module_utils._core.trust.votes import Found, Vote
from ..policy.file import parse_yaml
from .ssh import SIGNED
from .trust import verify_bundle
from .wave_check import ARCHIVE


@dataclass(slots=True)
class PackCheck:
    """Verifies the records of one pack.

    :param pins: the verifier's root keys; without them only the pack itself vouches for its bundles.
    :param current: the present bundle, for notes on later revocations.
    """

    files: Mapping[str, bytes]
    plan: Mapping[str, Any]
    check: SignatureCheck
    pins: Pins | None = None
    current: Bundle | None = None
    problems: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    verified: list[str] = field(default_factory=list)

    def run(self, records: Sequence[Record]) -> None:
        """Verify all records; ``problems`` has the errors afterwards."""
        events = [record.event() for record in records]
        digests = [event.bundle_digest for event in events if isinstance(event, Approved)]
        for record in records:
            try:
                self._verify(record, digests)
            except PatchtideError as error:
                self.problems.append(f"record {record.seq}: {error}")
        approved = {event.wave for event in events if isinstance(event, Approved)}
        begun = dict.fromkeys(event.wave for event in events if isinstance(event, WaveStarted))
        if unapproved := [wave for wave in begun if wave not in approved]:
            self._note(f"began without a verified approval: wave {', wave '.join(unapproved)}")
        self._raw(events)

    def _raw(self, events: Sequence[Event]) -> None:
        """Note the statements in the rollout's directories on which nothing was done, such as a later rejection."""
        used = {str(proof.get("statement")) for item in events if isinstance(item, Approved) for proof in item.proofs}
        used |= {event.statement for event in events if isinstance(event, Decision)}
        for name, data in sorted(self.files.items()):
            if not name.startswith(tuple(f"{folder}/" for folder in SIGNED)) or not name.endswith(".json"):
                continue
            text = data.decode("utf-8", "replace")
            if text not in used:
                self._note(f"{name} is not among what was accepted: {_summary(data, name)}")

    def _verify(self, record: Record, digests: Sequence[str]) -> None:
        event = record.event()
        if isinstance(event, Approved):
            self._approved(event, from_time(record.at))
        elif isinstance(event, Decision) and event.statement:
            self._decision(event, record, digests)

    def _bundle(self, digest: str, at: datetime) -> Bundle:
        """Return an archived bundle. :raises PatchtideError: it is missing, changed, or not signed as it must be."""
        folder = f"{ARCHIVE}/{digest}/"
        found = {name.removeprefix(folder): data for name, data in self.files.items() if name.startswith(folder)}
        name = next((name for name in found if not name.endswith(".sig")), "")
        if not name or hashlib.sha256(found[name]).hexdigest() != digest:
            raise NotInPack(f"the trust bundle {digest} is missing in the pack, or was changed")
        if self.pins:
            return verify_bundle(found, name, replace(self.pins, lowest_version=1), at, seen=0, check=self.check).bundle
        self._note("no root keys are pinned here, so only the pack itself vouches for its trust bundle")
        return read_bundle(parse_yaml(found[name].decode("utf-8", "replace"), name)[0], name)

    def _approved(self, event: Approved, at: datetime) -> None:
        bundle = self._bundle(event.bundle_digest, at)
        if bundle.version != event.bundle_version:
            raise NotInPack(f"the bundle is version {bundle.version}, not {event.bundle_version}")
        found = [self._found(proof, bundle, at) for proof in event.proofs]
        for item in found:
            if item.objection:
                raise NotInPack(f"{item.label}: {item.objection}")
        demands = self.plan["approval"]
        planner = Operator(**self.plan["planner"]) if self.plan["planner"] else None
        actors = find_actors(bundle, planner, None, demands["authors"])
        judged = judge(as_approved(self.plan), bundle, found, actors, demands["people"])
        if whys := judged.missing.get(event.wave, ("the plan has no such wave",)):
            raise NotInPack(f"wave {event.wave} was not approved: {'; '.join(whys)}")
        people = ", ".join(sorted({item.vote.principal for item in found if item.vote}))
        self.verified.append(f"wave {event.wave} was approved by {people} at {at:%Y-%m-%d %H:%M} UTC")

    def _found(self, proof: Mapping[str, Any], bundle: Bundle, at: datetime) -> Found:
        label, source = str(proof.get("principal")), proof.get("source")
        data, signature = (str(proof.get(name) or "").encode() for name in ("statement", "signature"))
        if source == SOURCE:
            self._revoked_since(label, data, signature)
            about = as_approved(self.plan)
            return read_signed(label, data, signature, plan=about, bundle=bundle, check=self.check, now=at)
        self._note(f"the approval of {label} was read from {source}, which nothing proves offline")
        person = bundle.people.get(label)
        roles = person.roles if person else ()
        vote = Vote(principal=label, verdict="approve", roles=roles, source=str(source), hours=0, proof=label)
        return Found(label=label, source=str(source), vote=vote)

    def _decision(self, event: Decision, record: Record, digests: Sequence[str]) -> None:
        at, data, signature = from_time(record.at), event.statement.encode(), event.signature.encode()
        wanted = json.loads(event.statement).get("bundle_version")
        known = {self._bundle(digest, at).version: digest for digest in (*dict.fromkeys(digests), *self._archived())}
        digest = known.get(max((version for version in known if version >= wanted), default=0), "")
        statement = prove(data, signature, act="decision", bundle=self._bundle(digest, at), check=self.check, now=at)
        expected = {"rollout": self.plan["rollout"], "plan_digest": self.plan["digest"], "action": event.action}
        check_subject(statement, {**expected, "wave": event.wave, "what": event.what})
        if statement.principal != event.by:
            raise NotInPack(f"{statement.principal} signed the decision of {event.by}")
        if event.action != "abort" and statement.subject["head"] != record.prev:
            raise NotInPack("the decision was signed for another place in the journal")
        self._revoked_since(event.by, data, signature)
        self.verified.append(f"{event.action} {event.wave} was decided by {event.by} at {at:%Y-%m-%d %H:%M} UTC")

    def _archived(self) -> Iterator[str]:
        yield from dict.fromkeys(name.split("/")[1] for name in self.files if name.startswith(f"{ARCHIVE}/"))

    def _revoked_since(self, person: str, data: bytes, signature: bytes) -> None:
        if self.current is None:
            return
        now = datetime.max.replace(tzinfo=from_time("2000-01-01T00:00:00Z").tzinfo)
        key = fingerprint(read_envelope(signature, person).key)
        for what, name in (("person", person), ("key", key), ("statement", statement_digest(data))):
            if why := self.current.revoked(what, name, now):
                self._note(why)

    def _note(self, text: str) -> None:
        if text not in self.notes:
            self.notes.append(text)


def _summary(data: bytes, name: str) -> str:
    """Return who says what in a statement. Nothing proves it here."""
    try:
        found = Statement.from_bytes(data, name)
    except BadInput:
        return "it is no statement"
    return f"{plain(found.verdict)} by {plain(found.principal)}, {plain(found.reason)}"


class NotInPack(PatchtideError):
    """A pack lacks the proof of its approvals."""

    code = "NotInPack"
