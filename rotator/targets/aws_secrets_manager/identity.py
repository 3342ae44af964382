"""Who we are at AWS: the SDK's own chain, with the profile and role that the configuration names.

The chain reads files, the environment and instance metadata as every AWS tool does. What it does not decide is the way:
its requests (STS, SSO) travel over our transport, and addresses of services from the environment or the shared
configuration are not used. Importing this loads boto3.
"""

from __future__ import annotations

import logging
from functools import cache
from typing import Any

import boto3
from botocore.config import Config
from botocore.credentials import (
    AssumeRoleCredentialFetcher,
    DeferredRefreshableCredentials,
    RefreshableCredentials,
)
from botocore.exceptions import NoCredentialsError
from botocore.httpsession import URLLib3Session
from botocore.loaders import Loader, create_loader
from botocore.session import Session as Core

from rotator.targets.aws_secrets_manager.options import AwsConnectionOptions
from rotator.targets.aws_secrets_manager.transport import ANSWER_TIMEOUT, CONNECT_TIMEOUT, Transport


class Identity:
    """One session and the keys that it found. A session is not safe to share between threads; its clients are."""

    def __init__(self, options: AwsConnectionOptions, transport: Transport) -> None:
        """Look for an identity; files are read anew.

        Raises:
            BotoCoreError: there is no such profile, or nothing to work with.
        """
        # It logs what it raises as well, with tracebacks; whoever catches it says it once, in our words.
        logging.getLogger("botocore").setLevel(logging.CRITICAL)
        core: Any = Core(profile=options.profile)
        core.register_component("data_loader", _models())
        core.set_config_variable("ignore_configured_endpoint_urls", True)
        core.register("before-send", transport.send)
        _past_the_proxy(core)
        self.profile = _holder(core, str(core.get_config_variable("profile") or "default"))
        self._session = boto3.Session(botocore_session=core, region_name=options.region)
        found = core.get_credentials()
        self.method = "none" if found is None else str(found.method)
        self._keys = None if found is None or isinstance(found, RefreshableCredentials) else found
        self.renewable = isinstance(found, RefreshableCredentials)
        self.role = options.role_arn
        if options.role_arn is not None:
            _assume(core, options)

    def client(self, options: AwsConnectionOptions, attempts: int) -> Any:
        """Return a client of Secrets Manager.

        Raises:
            BotoCoreError: there is no region.
        """
        config = Config(
            connect_timeout=CONNECT_TIMEOUT,
            read_timeout=ANSWER_TIMEOUT,
            retries={"mode": "standard", "total_max_attempts": attempts},
            user_agent_extra="rotator",
        )
        return self._session.client("secretsmanager", endpoint_url=options.endpoint_url, config=config)

    def same_keys(self, other: Identity) -> bool:
        """Whether both have the same keys, so that what was said to one will be said to the other.

        Keys that renew themselves are fetched when they are used, so of them nobody knows.
        """
        if self.renewable or other.renewable:
            return False
        mine, others = self._keys, other._keys
        if mine is None or others is None:
            return mine is others
        return (mine.access_key, mine.secret_key, mine.token) == (others.access_key, others.secret_key, others.token)


@cache
def _models() -> Loader:
    """The SDK's descriptions of services, read once: to look for keys anew must not cost 0.2 s."""
    return create_loader()


def _holder(core: Any, profile: str) -> str:
    """The profile that holds the login: that of `source_profile`, where one profile works as a role by another."""
    profiles, seen = core.full_config.get("profiles", {}), {profile}
    while (source := profiles.get(profile, {}).get("source_profile")) and source not in seen:
        seen.add(profile := source)
    return profile


def _past_the_proxy(core: Any) -> None:
    """Ask the instance metadata straight: the SDK would hand these keys to a proxy of the environment, in clear."""
    provider = core.get_component("credential_provider").get_provider("iam-role")
    fetcher = provider._role_fetcher
    fetcher._session = URLLib3Session(timeout=fetcher._timeout)


def _assume(core: Any, options: AwsConnectionOptions) -> None:
    """Let the session work as the configured role; its temporary keys are renewed by the SDK before they end.

    botocore builds this from a profile with `role_arn`, and has no public call for a role from elsewhere.
    """
    source = core.get_credentials()
    if source is None:
        raise NoCredentialsError

    def client(service: str, **more: Any) -> Any:
        return core.create_client(service, endpoint_url=options.sts_endpoint_url, **more)

    words = {"RoleSessionName": "rotator"}
    fetcher = AssumeRoleCredentialFetcher(
        client_creator=client,
        source_credentials=source,
        role_arn=str(options.role_arn),
        extra_args=words if options.external_id is None else words | {"ExternalId": options.external_id},
    )
    core._credentials = DeferredRefreshableCredentials(method="assume-role", refresh_using=fetcher.fetch_credentials)
