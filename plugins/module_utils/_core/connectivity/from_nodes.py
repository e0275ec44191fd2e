# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What nodes say of their ways, by site: endpoints, repositories, and the internet where none is wanted. Pure.

A site is the tag ``Site`` of a node; without it, its account-Region. What a node was not asked is unknown.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from ..text import plain
from .judge import OK, UNKNOWN, WRONG
from .network import Check

#: An address that answers to anybody on the internet (user guide of IAM, example of aws:SourceIp).
INTERNET = "https://checkip.amazonaws.com"
SITE = "Site"
#: An agent needs these of its Region, and Patch Manager this bucket (user guide, "Amazon S3 buckets for patching
#: operations"). The root of S3 is no address to try: it leads to a page on the internet.
SERVICES = ("ssm", "ssmmessages")
_BUCKET = "aws-ssm-{region}.s3"
REPOSITORIES = "repositories"
_NAMED = 5


def endpoints(region: str, more: Sequence[str], *, internet: bool) -> list[str]:
    """Return what to try from nodes of Systems Manager in a Region.

    :param more: of a patch server, such as Satellite or WSUS; ``{region}`` in it is the Region.
    :param internet: whether a way to it may exist.
    """
    end = "{region}.amazonaws.com.cn" if region.startswith("cn-") else "{region}.amazonaws.com"
    own = [f"https://{name}.{end}" for name in (*SERVICES, _BUCKET)]
    return [url.replace("{region}", region) for url in (*own, *endpoints_elsewhere(more, internet=internet))]


def endpoints_elsewhere(more: Sequence[str], *, internet: bool) -> list[str]:
    """Return what to try from hosts that do not belong to Systems Manager; parameters as of ``endpoints``."""
    return [*more, *([] if internet else [INTERNET])]


def checks_of(nodes: Iterable[Mapping[str, Any]], *, internet: bool = True) -> list[Check]:
    """Return a check for each site and address.

    :param nodes: rows with ``name``, ``site``, ``ways`` (rows of ``url``, ``ok`` and ``text``), and ``why`` there are
        none.
    """
    sites: dict[str, list[Mapping[str, Any]]] = {}
    for node in nodes:
        sites.setdefault(str(node["site"]), []).append(node)
    return [check for site, rows in sorted(sites.items()) for check in _site(site, rows, internet)]


def _site(site: str, nodes: Sequence[Mapping[str, Any]], internet: bool) -> Iterator[Check]:
    ways: dict[str, dict[str, Any]] = {}
    for node in nodes:
        for way in node["ways"]:
            ways.setdefault(_host(str(way["url"])), {})[str(node["name"])] = way
    for host, found in sorted(ways.items()):
        yield _way(site, host, found, internet)
    silent: dict[str, list[str]] = {}
    for node in nodes:
        if not node["ways"]:
            silent.setdefault(str(node["why"]), []).append(str(node["name"]))
    fix = "Check them by hand, or repair their agent or connection and run this again."
    for why, names in sorted(silent.items()):
        what = f"{_names(names)}: {why}"
        yield Check(where=site, check="not asked", status=UNKNOWN, what=what, fix=fix, nodes=len(names))


def _way(site: str, host: str, found: Mapping[str, Mapping[str, Any]], internet: bool) -> Check:
    hidden = not internet and host == _host(INTERNET)
    good = [name for name, way in found.items() if way["ok"] is True]
    bad = [name for name, way in found.items() if way["ok"] is False]
    open_ = [name for name, way in found.items() if way["ok"] is None]
    if hidden:
        bad, good = good, bad
    texts = sorted({str(found[name]["text"]) for name in (*bad, *open_) if found[name].get("text")})
    words = "is reached from" if hidden else "is not reached from"
    parts = [f"{words} {_names(bad)}"] if bad else []
    parts += [f"is not known from {_names(open_)}"] if open_ else []
    what = f"{host} {', '.join(parts)}" + (f": {'; '.join(texts[:3])}" if texts and parts else "")
    if not parts:
        what = f"no node reaches {host}" if hidden else f"{host} is reached from all {len(good)} nodes"
    status = WRONG if bad else UNKNOWN if open_ else OK
    fix = "" if status == OK else _fix(host, hidden)
    name = "no internet" if hidden else "from nodes"
    return Check(where=site, check=name, status=status, what=what, fix=fix, nodes=len(found))


def all_asked(ways: Sequence[Mapping[str, Any]], urls: Sequence[str]) -> list[Mapping[str, Any]]:
    """Return the ways that a node told of, and those that it was asked for and did not mention as not known."""
    told = {_host(str(way["url"])) for way in ways}
    silent = [url for url in urls if _host(url) not in told]
    return [*ways, *({"url": url, "ok": None, "text": "its answer does not mention it"} for url in silent)]


def way_of_repositories(findings: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return what the host probe found of the servers of packages and updates as a way; nothing if it says nothing."""
    rows = [item for item in findings if item["check"] == REPOSITORIES]
    bad = [str(item["text"]) for item in rows if not item["ok"]]
    return [{"url": REPOSITORIES, "ok": not bad, "text": "; ".join(bad)}] if rows else []


def _fix(host: str, hidden: bool) -> str:
    if host == REPOSITORIES:
        return "Allow these servers in firewall and proxy, or correct the package sources of these nodes."
    if hidden:
        return f"Remove the route or the rule of the proxy that lets these nodes reach {host}."
    service = "s3" if ".s3." in host else host.partition(".")[0]
    if host.endswith((".amazonaws.com", ".amazonaws.com.cn")) and service in (*SERVICES, "s3"):
        return (
            f"Allow tcp 443 to {host} in firewall and proxy, or make an endpoint of {service} that these nodes reach."
        )
    return f"Allow tcp 443 to {host} in firewall and proxy, and install the certificate authority that it uses."


def _host(url: str) -> str:
    return plain(urlsplit(url).hostname or url)


def _names(names: Sequence[str]) -> str:
    shown = [plain(name) for name in sorted(names)[:_NAMED]]
    return ", ".join(shown) + (f" and {len(names) - _NAMED} more" if len(names) > _NAMED else "")
