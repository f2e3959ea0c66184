"""What the site's proxy and authorities mean for the hooks: variables that their libraries read."""

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

from alectio_agent.config.network import NO_PROXY_AT_ALL
from alectio_agent.config.settings import AgentFile
from alectio_agent.core.errors import ConfigError
from alectio_agent.core.setting_error import SettingError
from alectio_agent.core.tls_files import read_authorities
from alectio_agent.core.trust_store import FILE_VARIABLES, find_trust_store

BUNDLE = "ca-bundle.pem"
LOCAL = ("localhost", "127.0.0.1", "::1")


def site_environment(
    settings: AgentFile, inherited: Mapping[str, str], folder: Path
) -> dict[str, str]:
    """The variables of the agent, with those that `proxy` and `tls` add for the hooks.

    The proxy's user and password are the agent's secrets, so they are not among them: a hook that
    needs them gets them in its pipeline's `env_file`.

    Args:
        settings: With the sections `proxy` and `tls`.
        inherited: The agent's variables.
        folder: Where the file of trusted authorities is written; made when it is missing.

    Returns:
        Value by name.

    Raises:
        ConfigError: The authorities cannot be read, or their file cannot be written.
    """
    found = {**inherited, **_proxy(settings, inherited)}
    if settings.tls.ca_file is not None:
        bundle = str(_write_bundle(settings.tls.ca_file, inherited, folder))
        found |= dict.fromkeys(FILE_VARIABLES, bundle)
    return found


def _proxy(settings: AgentFile, inherited: Mapping[str, str]) -> dict[str, str]:
    found: dict[str, str] = {}
    proxy = settings.proxy
    has_proxy = proxy.url not in (None, NO_PROXY_AT_ALL)
    if has_proxy:
        found |= {"http_proxy": str(proxy.url), "https_proxy": str(proxy.url)}
    if has_proxy or proxy.no_proxy:
        before = inherited.get("no_proxy") or inherited.get("NO_PROXY") or ""
        spared = [*filter(None, before.split(",")), *proxy.no_proxy]
        spared += [host for host in LOCAL if host not in spared]
        found["no_proxy"] = ",".join(spared)
    # Some libraries read the ones, some the others; an inherited one must not win over ours.
    return {**found, **{name.upper(): value for name, value in found.items()}}


def _write_bundle(ca_file: Path, inherited: Mapping[str, str], folder: Path) -> Path:
    """Write what is trusted into one file: hooks of the last run may read it at this moment."""
    try:
        content = find_trust_store(inherited).read() + b"\n" + read_authorities(ca_file).encode()
        folder.mkdir(parents=True, exist_ok=True)
        descriptor, temporary = tempfile.mkstemp(prefix=f".{BUNDLE}.", dir=folder)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        path = Path(temporary)
        path.chmod(0o644)  # certificates are no secret, and a hook may change its user
        return path.replace(folder / BUNDLE)
    except SettingError as error:
        raise ConfigError(f"tls.ca_file: {error.message}", code="E-CONF-08") from error
    except OSError as error:
        raise ConfigError(
            f"{folder / BUNDLE} cannot be written ({error.strerror})", code="E-CONF-08"
        ) from error
