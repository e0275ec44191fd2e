# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sessions and clients for many account-Regions, shared by modules, action plugins and the inventory."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any, TypeVar

from .._core.accounts import Account
from .._core.errors import BadInput, PatchtideError
from .._core.model import Place
from .errors import aws_errors
from .known_regions import check_regions
from .models import loader
from .role_cache import RoleCache

try:
    import boto3
    import botocore.session
    from botocore.config import Config
    from botocore.credentials import DeferredRefreshableCredentials
    from botocore.utils import parse_timestamp

    HAS_SDK = True
except ImportError:  # reported by AnsibleAWSModule or the plugin's own check
    HAS_SDK = False

T = TypeVar("T")
R = TypeVar("R")

#: Measured under a 10 TPS limit: adaptive 12.6 s, legacy 37.8 s, standard failed.
RETRIES: Any = {"mode": "adaptive", "total_max_attempts": 12}


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """How to connect to AWS: the options of every amazon.aws module, independent of their source."""

    profile: str | None = None
    access_key: str | None = None
    secret_key: str | None = None
    session_token: str | None = None
    endpoint_url: str | None = None
    verify: bool | str | None = None
    config: Mapping[str, Any] = field(default_factory=dict)
    session_name: str = "patchtide"
    #: private directory with credentials of roles, see ``role_cache.py``
    role_cache: str | None = None


def to_places(regions: Sequence[str], accounts: Sequence[Account]) -> list[Place]:
    """Return every account in every Region; without accounts, the caller's own."""
    if not regions:
        raise BadInput("region", None, "a Region: set region, regions, AWS_REGION or the profile's Region")
    check_regions(regions)
    return [account.place(region) for account in accounts or [Account()] for region in regions]


class Sessions:
    """Returns botocore clients per account-Region. Thread-safe. Role credentials are renewed when they expire."""

    def __init__(self, connection: Connection, wrap_loader: Callable[[Any], Any] | None = None) -> None:
        """``wrap_loader`` can wrap botocore's loader of models, for example in ``fleet_models.Slim``."""
        self._connection = connection
        self._wrap_loader = wrap_loader
        self._lock = threading.RLock()
        self._loader: Any = None
        self._base: Any = None
        self._roles: dict[Place, Any] = {}
        self._cache = RoleCache(connection.role_cache)
        self._clients: dict[tuple[str, Place, bool], Any] = {}
        self._own_account: str | None = None

    def client(self, service: str, place: Place, *, retry: bool = True) -> Any:
        """Return the client of ``service`` in ``place``. It is created once, with adaptive retries.

        :param retry: ``False`` for calls that botocore must not repeat, such as SendCommand.
        """
        with self._lock:
            key = (service, place, retry)
            if key not in self._clients:
                with aws_errors(f"connect to {service} in {place.label}"):
                    self._clients[key] = self._make_client(service, place, retry)
            return self._clients[key]

    def account(self, place: Place) -> str:
        """Return the account number of an account-Region. Calls STS only if there is no role ARN with the account."""
        return place.account or self.own_account(place.region)

    def own_account(self, region: str, *, retry: bool = True) -> str:
        """Return the account of the caller's own credentials. Calls STS once."""
        if self._own_account is None:
            with aws_errors(f"identify the caller in {region}"):
                place = Place(region=region)
                sts = self.client("sts", place) if retry else self.client("sts", place, retry=False)
                self._own_account = str(sts.get_caller_identity()["Account"])
        return self._own_account

    @property
    def default_region(self) -> str | None:
        """Return the Region of the profile or environment, if it is set."""
        with aws_errors("read the AWS configuration"):
            return self._session().region_name  # type: ignore[no-any-return]

    def _config(self, retry: bool) -> Any:
        base = Config(
            retries=RETRIES,
            connect_timeout=10,
            read_timeout=60,
            max_pool_connections=16,
            # A text of our own costs nothing; botocore composes its own for every call.
            user_agent=f"patchtide.hybrid Boto3/{boto3.__version__} Botocore/{botocore.__version__}",
        )
        if self._connection.config:
            base = base.merge(Config(**self._connection.config))
        return base if retry else base.merge(Config(retries={"mode": "standard", "total_max_attempts": 1}))

    def _make_client(self, service: str, place: Place, retry: bool) -> Any:
        session = self._role_session(place) if place.role_arn else self._session()
        config = self._config(retry)
        if service == "s3":  # else addresses are signed by SigV2, which S3 refuses for keys of KMS
            config = Config(signature_version="s3v4").merge(config)
        return session.client(
            service,
            region_name=place.region,
            endpoint_url=self._connection.endpoint_url,
            verify=self._connection.verify,
            config=config,
        )

    def _botocore(self, profile: str | None) -> Any:
        core = botocore.session.Session(profile=profile)
        if self._loader is None:
            self._loader = self._wrap_loader(loader()) if self._wrap_loader else loader()
        core.register_component("data_loader", self._loader)
        core.get_component("response_parser_factory").set_parser_defaults(timestamp_parser=_to_moment)
        return core

    def _session(self) -> Any:
        if self._base is None:
            options = self._connection
            self._base = boto3.session.Session(
                botocore_session=self._botocore(options.profile),
                aws_access_key_id=options.access_key,
                aws_secret_access_key=options.secret_key,
                aws_session_token=options.session_token,
            )
        return self._base

    def _role_session(self, place: Place) -> Any:
        """Return the role's session, one per Region, so that an outage of STS in one does not affect the others."""
        if place not in self._roles:
            core = self._botocore(None)
            core._credentials = DeferredRefreshableCredentials(
                refresh_using=lambda: self._credentials(place), method="assume-role"
            )
            self._roles[place] = boto3.session.Session(botocore_session=core)
        return self._roles[place]

    def _credentials(self, place: Place) -> dict[str, str]:
        """Return the role's credentials, of this Region's STS or of another Region's."""
        own = self._session().get_credentials()
        caller = str(own.get_frozen_credentials().access_key) if own else ""
        role = (str(place.role_arn), place.external_id or "", self._connection.session_name, caller)
        return dict(self._cache.get(role, lambda: self._assume(place)))

    def _assume(self, place: Place) -> dict[str, Any]:
        request = {"RoleArn": place.role_arn, "RoleSessionName": self._connection.session_name[:64]}
        if place.external_id:
            request["ExternalId"] = place.external_id
        with aws_errors(f"assume role {place.role_arn}"):
            sts = self.client("sts", Place(region=place.region))
            found = sts.assume_role(**request)["Credentials"]
        return {
            "access_key": found["AccessKeyId"],
            "secret_key": found["SecretAccessKey"],
            "token": found["SessionToken"],
            "expiry_time": found["Expiration"].isoformat(),
        }


def _to_moment(value: Any) -> datetime:
    """Read a time of an answer: seconds since 1970 in JSON. botocore would ask for the local zone each time."""
    if isinstance(value, (int, float)):
        return datetime.fromtimestamp(value, timezone.utc)
    moment: datetime = parse_timestamp(value)
    return moment


def each_place(
    places: Sequence[Place], work: Callable[[Place], R], workers: int = 16
) -> list[tuple[Place, R | None, PatchtideError | None]]:
    """Run ``work`` in every account-Region, concurrently. A failure does not affect the others.

    Returns one ``(place, result, error)`` per account-Region in the given order. Exactly one of result and error is
    ``None``, unless ``work`` returns ``None``. Unexpected errors are bugs and are raised.
    """

    def one(place: Place) -> tuple[Place, R | None, PatchtideError | None]:
        try:
            return place, work(place), None
        except PatchtideError as error:
            return place, None, error

    if len(places) < 2:
        return [one(place) for place in places]
    with ThreadPoolExecutor(max_workers=min(workers, len(places))) as pool:
        return list(pool.map(one, places))
