"""Connections that verify with the context of the agent, and show the proxy who asks."""

from typing import Any

from requests import PreparedRequest
from urllib3.poolmanager import PoolManager

from alectio_agent.agent.client.connections import LiveSockets, TrackingAdapter
from alectio_agent.agent.client.deadlines import Watch
from alectio_agent.agent.client.network import Network


class VerifyingAdapter(TrackingAdapter):
    """Lets nothing but the network's own context decide about a certificate."""

    def __init__(self, sockets: LiveSockets, watch: Watch, network: Network) -> None:
        """Prepare.

        Args:
            sockets: Told of each connection.
            watch: Of the requests of the one thread that uses this.
            network: With the proxy and the context.
        """
        self._network = network  # the base class asks for connections at once
        super().__init__(sockets, watch)

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        """Make connections with our context."""
        super().init_poolmanager(*args, **options, **self._tls())

    def proxy_manager_for(self, proxy: str, **options: Any) -> PoolManager:
        """The same through a proxy, which may itself speak TLS."""
        return super().proxy_manager_for(
            proxy, **options, **self._tls(), proxy_ssl_context=self._network.context
        )

    def proxy_headers(self, proxy: str) -> dict[str, str]:  # noqa: ARG002 - there is one proxy
        """What the proxy alone is shown; it never goes through a tunnel."""
        found = self._network.proxy
        if found is None or not found.authorization:
            return {}
        return {"Proxy-Authorization": found.authorization}

    def build_connection_pool_key_attributes(
        self,
        request: PreparedRequest,
        verify: Any,  # noqa: ARG002 - whatever was asked for, certificates are verified
        cert: Any = None,  # noqa: ARG002 - the context has it
    ) -> Any:
        """Where a request goes, and that certificates are verified."""
        return super().build_connection_pool_key_attributes(request, verify=True)

    def cert_verify(self, conn: Any, url: str, verify: Any, cert: Any) -> None:
        """Leave our context as it is: the base class would have it trust the list of `certifi`."""
        del url, verify, cert
        conn.cert_reqs = "CERT_REQUIRED"

    def _tls(self) -> dict[str, Any]:
        context, name = self._network.context, self._network.server_name
        found: dict[str, Any] = {} if context is None else {"ssl_context": context}
        return {**found, "server_hostname": name} if name else found
