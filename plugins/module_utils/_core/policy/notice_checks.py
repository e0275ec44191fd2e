# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks of the routes of notices. A message never repeats what could be a secret. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from ..errors import BadInput
from ..gate.health_rules import MASK
from ..times.schedule import to_zone
from .errors import Mistake
from .notice_rules import Mail, NoticeRules, Route, ServiceNowEvents, Webhook

_VARIABLE = re.compile(r"\$\{[A-Za-z_][A-Za-z0-9_]*\}")
_NAMED = (
    "${NAME} with the name of an environment variable of the controller, because the policy is no place for secrets"
)
_KINDS = ("sns", "mail", "webhook", "servicenow")


def notice_mistakes(rules: NoticeRules) -> Iterator[Mistake]:
    """Yield the mistakes in ``notices`` that a JSON Schema cannot express."""
    for index, route in enumerate(rules.routes):
        path = f"notices.routes[{index}]"
        yield from _of_route(route, path)
        if route.mail:
            yield from _of_mail(route.mail, f"{path}.mail")
        if route.webhook:
            yield from _of_webhook(route.webhook, f"{path}.webhook")
        if route.servicenow:
            yield from _of_events(route.servicenow, f"{path}.servicenow")


def _of_route(route: Route, path: str) -> Iterator[Mistake]:
    given = [kind for kind in _KINDS if getattr(route, kind)]
    if len(given) != 1:
        yield Mistake(path=path, value=", ".join(given) or "none", expected=f"exactly one of {', '.join(_KINDS)}")
    if route.select.groups or route.select.missed:
        key = "groups" if route.select.groups else "missed"
        expected = "other keys: notices follow from plans, which do not record this one"
        yield Mistake(path=f"{path}.select.{key}", value=getattr(route.select, key), expected=expected)
    quiet = route.quiet_hours
    if quiet and route.digest:
        expected = "either quiet_hours or digest: a digest has a time of its own"
        yield Mistake(path=f"{path}.quiet_hours", value=f"{quiet.start} to {quiet.end}", expected=expected)
    if quiet and quiet.start and quiet.start == quiet.end:
        yield Mistake(path=f"{path}.quiet_hours.end", value=quiet.end, expected="a time other than start")
    for name, times in (("quiet_hours", quiet), ("digest", route.digest)):
        try:
            to_zone(times.timezone if times else "UTC")
        except BadInput as error:
            yield Mistake.of(error, f"{path}.{name}.timezone")


def _of_mail(mail: Mail, path: str) -> Iterator[Mistake]:
    if mail.password and not _VARIABLE.fullmatch(mail.password):
        yield Mistake(path=f"{path}.password", value=MASK, expected=_NAMED)
    if bool(mail.password) != bool(mail.user):
        yield Mistake(path=f"{path}.user", value=mail.user, expected="user and password, or neither")
    if mail.password and mail.security == "none":
        expected = "starttls or tls, because the password would cross the network unprotected"
        yield Mistake(path=f"{path}.security", value="none", expected=expected)


def _of_webhook(hook: Webhook, path: str) -> Iterator[Mistake]:
    if hook.key and not _VARIABLE.fullmatch(hook.key):
        yield Mistake(path=f"{path}.key", value=MASK, expected=_NAMED)
    if hook.key and hook.format != "generic":
        expected = f"no key, because {hook.format} checks no signature"
        yield Mistake(path=f"{path}.key", value=MASK, expected=expected)
    if not hook.url or _VARIABLE.fullmatch(hook.url):
        return
    if hook.format != "generic":
        yield Mistake(path=f"{path}.url", value=MASK, expected=_NAMED)
    elif not is_web_address(hook.url):
        expected = "an http or https URL without user and password, or ${NAME} with the name of an environment variable"
        yield Mistake(path=f"{path}.url", value=MASK, expected=expected)


def _of_events(events: ServiceNowEvents, path: str) -> Iterator[Mistake]:
    if not is_web_address(events.url) or not events.url.startswith("https:"):
        expected = "the https URL of the instance, without user and password"
        yield Mistake(path=f"{path}.url", value=MASK, expected=expected)
    if not _VARIABLE.fullmatch(events.password):
        yield Mistake(path=f"{path}.password", value=MASK, expected=_NAMED)


def is_web_address(text: str) -> bool:
    """Return whether a text is the address of a web server, without credentials."""
    try:
        parts = urlsplit(text)
        fine = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        return False
    return fine and "@" not in parts.netloc and text.isprintable() and " " not in text
