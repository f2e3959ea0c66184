"""Where this system keeps the authorities that it trusts, whatever Python this is.

A Python of conda or of a binary distribution knows the places of the machine that it was built on,
and packages bring a list of their own that no administrator can add to.
"""

import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from alectio_agent.core.errors import ConfigError

FILE_VARIABLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE")
FOLDER_VARIABLE = "SSL_CERT_DIR"
PLACES = (
    "/etc/ssl/certs/ca-certificates.crt",  # Debian, Ubuntu, Arch
    "/etc/pki/tls/certs/ca-bundle.crt",  # Red Hat, Fedora
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",  # the same, where the link is missing
    "/etc/ssl/ca-bundle.pem",  # SUSE
    "/etc/ssl/cert.pem",  # Alpine, macOS
)


@dataclass(frozen=True)
class TrustStore:
    """Where trusted authorities lie.

    Attributes:
        file: All of them in PEM form; None when there is only a folder.
        folder: One in each file, named by its hash.
    """

    file: Path | None
    folder: Path | None = None

    def load_into(self, context: ssl.SSLContext) -> None:
        """Trust all of them.

        Args:
            context: Of a client.

        Raises:
            ConfigError: The file holds none.
        """
        try:
            context.load_verify_locations(self.file, self.folder)
        except (ssl.SSLError, OSError) as error:
            raise ConfigError(
                f"{self.file or self.folder} holds no certificate that can be read; expected the "
                "authorities that this system trusts, in PEM form",
                code="E-CONF-08",
            ) from error

    def read(self) -> bytes:
        """All of them in one text in PEM form.

        Raises:
            ConfigError: A file cannot be read.
        """
        files = [self.file] if self.file else sorted((self.folder or Path()).glob("*.[0-9]"))
        try:
            return b"\n".join(file.read_bytes() for file in files)
        except OSError as error:
            raise ConfigError(
                f"{error.filename} cannot be read ({error.strerror})", code="E-CONF-08"
            ) from error


def find_trust_store(
    environment: Mapping[str, str], places: tuple[str, ...] = PLACES
) -> TrustStore:
    """The store of this system, or what the environment puts in its place.

    Args:
        environment: The process's variables.
        places: Files where systems keep it, the first that is there counts.

    Returns:
        The store; that of `certifi` where the system has none.

    Raises:
        ConfigError: A variable names what is not there.
    """
    named = _named(environment)
    if named is not None:
        return named
    paths = ssl.get_default_verify_paths()
    for place in (*places, paths.openssl_cafile):
        if Path(place).is_file():
            return TrustStore(Path(place))
    folder = Path(paths.openssl_capath)
    if any(folder.glob("*.0")):
        return TrustStore(None, folder)
    import certifi  # it comes with requests

    return TrustStore(Path(certifi.where()))


def _named(environment: Mapping[str, str]) -> TrustStore | None:
    for variable in (*FILE_VARIABLES, FOLDER_VARIABLE):
        value = environment.get(variable)
        if not value or _is_condas(variable, value, environment):
            continue
        path = Path(value)
        if not path.exists():
            raise ConfigError(
                f"${variable} names {value}, which does not exist",
                hint=f"Name a file of certificates in PEM form, or unset {variable}.",
                code="E-CONF-08",
            )
        return TrustStore(None, path) if path.is_dir() else TrustStore(path)
    return None


def _is_condas(variable: str, value: str, environment: Mapping[str, str]) -> bool:
    """Whether activating a conda environment has set it: to a list that no administrator sees."""
    prefix = environment.get("CONDA_PREFIX")
    is_openssls = variable in ("SSL_CERT_FILE", FOLDER_VARIABLE)
    return is_openssls and bool(prefix) and Path(value).is_relative_to(str(prefix))
