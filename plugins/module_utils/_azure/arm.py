# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Calls Azure Resource Manager over azure-core's pipeline: reads, writes, actions, long-running operations."""

from __future__ import annotations

import base64
import json
import re
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode, urlsplit

from .._core.errors import ServiceError
from .credentials import AzureLogin
from .errors import Lost, azure_errors, refusal, retry_after

try:
    from azure.core import PipelineClient
    from azure.core.pipeline.policies import (
        BearerTokenCredentialPolicy,
        HeadersPolicy,
        RequestIdPolicy,
        RetryPolicy,
        UserAgentPolicy,
    )
    from azure.core.pipeline.transport import RequestsTransport
    from azure.core.rest import HttpRequest
except ImportError:  # reported by errors.sdk_missing()
    BearerTokenCredentialPolicy = object

#: Longest answer that is read, in characters. A page of Resource Graph has at most 1,000 rows.
MOST_CHARACTERS = 64 * 1024 * 1024
#: Pages of one list. More than that is a loop of the service.
MOST_PAGES = 10_000
_TENANT = re.compile(r'authorization_uri="[^"]*/([0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})/?"')
_CLAIMS = re.compile(r'claims="([^"]+)"')


@dataclass(frozen=True, slots=True)
class Answer:
    """What Azure Resource Manager answered. The names of the headers are in lower case."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Any = None

    @property
    def data(self) -> Mapping[str, Any]:
        """The body if it is an object, else nothing."""
        return self.body if isinstance(self.body, Mapping) else {}


class Arm:
    """Calls Azure Resource Manager with the credential of one tenant. Thread-safe.

    :param credential: of azure-identity. :param login: endpoint and certificates. :param pause: waits between tries.
    """

    def __init__(self, login: AzureLogin, credential: Any, pause: Callable[[float], None] = time.sleep) -> None:
        self._endpoint = login.endpoint
        self._host = urlsplit(login.endpoint).netloc
        self._pause = pause
        verify = {"connection_verify": login.ca_bundle} if login.ca_bundle else {}
        transport = RequestsTransport(connection_timeout=10, read_timeout=60, **verify)
        transport.sleep = pause  # what the retry policy waits with
        bearer = _Bearer(credential, login.scope)

        def client(*more: Any) -> Any:
            """Return a pipeline of policies of its own: each policy knows one successor (azure-core, Pipeline)."""
            common = [RequestIdPolicy(), HeadersPolicy(), UserAgentPolicy("patchtide.hybrid")]
            return PipelineClient(self._endpoint, policies=[*common, *more], transport=transport)

        def retry() -> Any:
            return RetryPolicy(retry_total=4, retry_backoff_factor=0.5, retry_backoff_max=10)

        self._replaying = client(retry(), bearer)
        # azure-core repeats any request whose answer has Retry-After, POST as well: an install could begin twice.
        self._once = client(bearer)
        self._anonymous = client(retry())

    def tenant_of(self, subscription: str) -> str:
        """Return the tenant of a subscription, ``""`` if the service does not name it.

        A request without a token is refused with the authority to ask for one, which ends with the tenant
        (https://shawntabrizi.com/blog/aad/secret-apis-in-azure-active-directory-and-azure-resource-manager).
        """
        url = self._url(f"/subscriptions/{subscription}", "2022-12-01")
        with azure_errors(f"find the tenant of subscription {subscription}"):
            response = self._anonymous.send_request(HttpRequest("GET", url))
        found = _TENANT.search(response.headers.get("WWW-Authenticate", ""))
        return found[1].lower() if found else ""

    def read(self, path: str, api: str, action: str, query: Mapping[str, str] | None = None) -> Mapping[str, Any]:
        """Return the resource at a path. :param api: the API version. :param action: a verb phrase for errors."""
        return self.get(path, api, action, query).data

    def get(self, path: str, api: str, action: str, query: Mapping[str, str] | None = None) -> Answer:
        """As ``read``, with status and headers."""
        return self._call(self._replaying, "GET", self._url(path, api, query), None, action)

    def pages(
        self, path: str, api: str, action: str, query: Mapping[str, str] | None = None
    ) -> Iterator[Mapping[str, Any]]:
        """Yield the rows of all pages of a list."""
        url = self._url(path, api, query)
        for _page in range(MOST_PAGES):
            found = self._call(self._replaying, "GET", url, None, action).data
            yield from (row for row in found.get("value") or () if isinstance(row, Mapping))
            url = str(found.get("nextLink") or "")
            if not url:
                return
            self._check_host(url, action)
        raise ServiceError(action, "TooManyPages", f"the list has not ended after {MOST_PAGES} pages")

    def query(self, path: str, api: str, body: Mapping[str, Any] | None, action: str) -> Answer:
        """Return the answer of a POST that may be repeated: a query, or an action whose repetition changes nothing."""
        return self._call(self._replaying, "POST", self._url(path, api), body, action)

    def write(
        self, method: str, path: str, api: str, body: Mapping[str, Any] | None, action: str, *, etag: str = ""
    ) -> Answer:
        """PUT, PATCH or DELETE a resource: repeated if the answer was lost, because the result is the same.

        :param etag: that of the resource as it was read; the service refuses the write if somebody changed it since.
        """
        return self._call(self._replaying, method, self._url(path, api), body, action, etag)

    def act(self, path: str, api: str, body: Mapping[str, Any] | None, action: str, method: str = "POST") -> Answer:
        """POST an action, or PUT what acts. It is sent at most once.

        :raises Lost: it may have been carried out. :raises PatchtideError: it was refused.
        """
        return self._call(self._once, method, self._url(path, api), body, action)

    def follow(self, url: str, action: str) -> Answer:
        """Return the state of a long-running operation from the URL that the service gave."""
        self._check_host(url, action)
        return self._call(self._replaying, "GET", url, None, action)

    def wait(self, answer: Answer, action: str, pause: Callable[[float], None] | None = None) -> Answer:
        """Follow a short long-running operation to its end, some minutes at most; return the last answer.

        A PUT may be answered with 200 and Azure-AsyncOperation, and has not ended then (azure-powershell issue 14460).
        """
        headers = answer.headers
        url = headers.get("azure-asyncoperation") or (headers.get("location", "") if answer.status == 202 else "")
        if not url:
            return answer
        for _look in range(60):
            (pause or self._pause)(min(retry_after(answer.headers, 2.0), 10.0))
            answer = self.follow(url, action)
            state = str(answer.data.get("status") or ("InProgress" if answer.status == 202 else "Succeeded"))
            if state in ("Failed", "Canceled"):
                why = answer.data.get("error") or {}
                raise ServiceError(action, str(why.get("code") or state), str(why.get("message") or "no message"))
            if state == "Succeeded":
                return answer
        raise Lost(action, "NoEnd", "the operation has not ended")

    def _url(self, path: str, api: str, query: Mapping[str, str] | None = None) -> str:
        return f"{self._endpoint}/{path.lstrip('/')}?{urlencode({**(query or {}), 'api-version': api})}"

    def _check_host(self, url: str, action: str) -> None:
        """Refuse a URL of another host: the token would be sent there."""
        parts = urlsplit(url)
        if parts.scheme != "https" or parts.netloc.lower() != self._host.lower():
            raise ServiceError(action, "ForeignUrl", f"the service refers to {parts.scheme}://{parts.netloc}")

    def _call(
        self, client: Any, method: str, url: str, body: Mapping[str, Any] | None, action: str, etag: str = ""
    ) -> Answer:
        with azure_errors(action):
            headers = {"If-Match": etag} if etag else {}
            response = client.send_request(HttpRequest(method, url, json=body, headers=headers))
            text = response.text() if _length(response) <= MOST_CHARACTERS else ""
        if _length(response) > MOST_CHARACTERS:
            raise ServiceError(action, "TooLarge", f"the answer has more than {MOST_CHARACTERS} bytes")
        found = {str(name).lower(): str(value) for name, value in response.headers.items()}
        if response.status_code >= 400:
            raise refusal(action, response.status_code, found, text)
        return Answer(response.status_code, found, _parsed(text, action))


class _Bearer(BearerTokenCredentialPolicy):  # type: ignore[misc,unused-ignore]
    """Answers a claims challenge (Continuous Access Evaluation) once, which older versions of azure-core ignore."""

    def on_challenge(self, request: Any, response: Any) -> bool:
        found = _CLAIMS.search(response.http_response.headers.get("WWW-Authenticate", ""))
        if not found:
            return False
        claims = base64.urlsafe_b64decode(found[1] + "=" * (-len(found[1]) % 4)).decode()
        self.authorize_request(request, *self._scopes, claims=claims)
        return True


def _length(response: Any) -> int:
    return len(response.content)


def _parsed(text: str, action: str) -> Any:
    if not text.strip():
        return None
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ServiceError(action, "NotJson", "the answer is not JSON") from error
