# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules that make the simulated AWS misbehave. The WSGI side is in ``server.py``; here is what a rule means."""

from __future__ import annotations

import json
import random
import threading
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

#: what happens at the door, to any call
DOOR = ("throttle", "error", "lose_response", "deny", "expired", "down")
KINDS = (*DOOR, "refuse_command")
#: StatusDetails of a command that the service refuses as a whole, before it makes an invocation. The first: "The system
#: has canceled the command before running it on any managed node" (API reference, Command, StatusDetails). The second:
#: "Understanding command statuses" (user guide). The third stands in neither and was not confirmed: something new may
#: come there any day. Which Status goes with them is not said; the lab shows Failed.
REFUSALS = ("RateExceeded", "AccessDenied", "LimitExceeded")
_MEMBERS = {
    *("kind", "name", "after", "service", "operation", "account", "region", "body"),
    *("tps", "probability", "seed", "nth", "times", "status", "details"),
}


@dataclass(slots=True)
class Rule:
    """One misbehaviour and the calls it is for; an empty matcher matches all. ``operation`` may be a list; ``body`` is
    a text that the request's body holds, such as ``"Install"`` with its quotes.

    throttle: more than ``tps`` calls a second are refused (real seconds, because that is what a client sleeps); with
    0 all of them. refuse_command: SendCommand answers, and the service cancels the command before it makes an
    invocation, with ``details`` as its StatusDetails. ``after`` names a rule that must have struck before this one.
    error: a 5xx ``status`` with ``probability``, by a seeded chance. lose_response: the ``nth`` call is carried
    out and its answer lost. deny: access denied. expired: the
    credentials have expired. down: the connection is closed without an answer.
    ``times`` ends a rule after so many hits.
    """

    kind: str
    name: str = ""
    after: str = ""
    service: str = ""
    operation: str | Sequence[str] = ""
    account: str = ""
    region: str = ""
    body: str = ""
    details: str = "RateExceeded"
    tps: float = 1.0
    probability: float = 1.0
    seed: int = 0
    nth: int = 1
    times: int | None = None
    status: int = 500
    hits: int = 0
    calls: int = 0
    _tokens: float = field(default=-1.0, repr=False)
    _last: float = field(default=0.0, repr=False)
    _chance: random.Random = field(default_factory=random.Random, repr=False)

    def matches(self, call: Mapping[str, str]) -> bool:
        operations = [self.operation] if isinstance(self.operation, str) else self.operation
        if call["operation"] not in operations and operations != [""]:
            return False
        if self.body and self.body not in call.get("body", ""):
            return False
        return all(getattr(self, name) in ("", call[name]) for name in ("service", "account", "region"))

    def strikes(self, moment: float) -> bool:
        """Say whether this call is hit; counts it."""
        self.calls += 1
        if self.times is not None and self.hits >= self.times:
            return False
        hit = getattr(self, f"_{self.kind}")(moment)
        self.hits += hit
        return bool(hit)

    def _throttle(self, moment: float) -> bool:
        if self.tps == 0:
            return True
        burst = max(self.tps, 1.0)
        refill = burst if self._tokens < 0 else self._tokens + (moment - self._last) * self.tps
        self._tokens, self._last = min(burst, refill), moment
        if self._tokens < 1:
            return True
        self._tokens -= 1
        return False

    def _error(self, moment: float) -> bool:
        return self._chance.random() < self.probability

    def _lose_response(self, moment: float) -> bool:
        return self.calls == self.nth

    def _deny(self, moment: float) -> bool:
        return True

    _down = _expired = _refuse_command = _deny


def to_rule(data: Mapping[str, Any]) -> Rule:
    """Read one rule as the admin URL gets it; mistakes are ``ValueError``."""
    if unknown := set(data) - _MEMBERS:
        raise ValueError(f"unknown members {sorted(unknown)}; a rule has {sorted(_MEMBERS)}")
    if data.get("kind") not in KINDS:
        raise ValueError(f"kind {data.get('kind')!r} is none of {KINDS}")
    if data.get("details", REFUSALS[0]) not in REFUSALS:
        raise ValueError(f"details {data['details']!r} is none of {REFUSALS}")
    rule = Rule(**data)
    rule._chance = random.Random(rule.seed)
    return rule


class Faults:
    """The rules in force."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.rules: list[Rule] = []

    def reset(self) -> None:
        with self._lock:
            self.rules = []

    def add(self, rule: Rule) -> None:
        with self._lock:
            self.rules.append(rule)

    def strike(self, call: Mapping[str, str], kinds: Collection[str] = DOOR) -> Rule | None:
        """Return the first rule that hits this call."""
        with self._lock:
            moment = time.monotonic()
            struck = {rule.name for rule in self.rules if rule.hits}
            armed = (rule for rule in self.rules if rule.kind in kinds and rule.after in {"", *struck})
            return next((rule for rule in armed if rule.matches(call) and rule.strikes(moment)), None)

    def refusal(self, request: Mapping[str, Any], account: str, region: str) -> str:
        """Return the StatusDetails with which the service cancels this SendCommand; "" if it takes it."""
        call = {"service": "ssm", "operation": "SendCommand", "account": account, "region": region}
        rule = self.strike({**call, "body": json.dumps(request)}, ("refuse_command",))
        return rule.details if rule else ""
