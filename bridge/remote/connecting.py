"""Why a connection could not be made, told apart so that each cause names its own fix."""

import socket

import aiohttp

from bridge.errors import BackendError, BackendMisconfigured, BackendUnreachable

NeverConnected = aiohttp.ClientConnectorError | aiohttp.ConnectionTimeoutError


def explain_failed_connection(problem: NeverConnected, address: str) -> BackendError:
    """The error for a connection that was never made: no request has left. `address` is for the log and the operator."""
    match problem:
        case aiohttp.ClientConnectorCertificateError():
            return _explain_certificate(problem, address)
        case aiohttp.ClientConnectorSSLError():
            return BackendMisconfigured(
                f"{address} does not speak TLS: {problem.os_error.strerror or problem}", code="tls"
            )
        case aiohttp.ClientConnectorDNSError():
            return BackendUnreachable(f"the name in {address} is not known", code="dns")
        case aiohttp.ConnectionTimeoutError():
            return BackendUnreachable(f"{address} did not take the connection in time", code="connect_timeout")
        case _ if isinstance(problem.os_error, ConnectionRefusedError):
            return BackendUnreachable(f"nothing listens at {address}", code="refused")
        case _ if isinstance(problem.os_error, socket.gaierror):
            return BackendUnreachable(f"the name in {address} is not known", code="dns")
        case _:
            return BackendUnreachable(
                f"{address} cannot be reached: {problem.os_error.strerror or problem}", code="unreachable"
            )


def may_pass(error: BackendError) -> bool:
    """Whether connecting once more at once has a chance. A certificate does not change within a second."""
    return isinstance(error, BackendUnreachable)


def _explain_certificate(problem: aiohttp.ClientConnectorCertificateError, address: str) -> BackendError:
    reason = str(getattr(problem.certificate_error, "verify_message", "")) or str(problem.certificate_error)
    code = "certificate"
    if "mismatch" in reason.lower() or "doesn't match" in reason.lower():
        code = "certificate_name"
    elif "expired" in reason.lower() or "not yet valid" in reason.lower():
        code = "certificate_expired"
    return BackendMisconfigured(f"the certificate of {address} is not trusted: {reason}", code=code)


def connection_fixes(prefix: str, product: str) -> dict[str, str]:
    """What the operator can do, by the codes of the errors from here. `prefix` is that of the backend's settings."""
    url, ca_file = f"{prefix}_BASE_URL", f"{prefix}_CA_FILE"
    return {
        "certificate": f"If a private authority signed it, name that authority's PEM file in {ca_file}.",
        "certificate_name": f"Use a host name that is in the certificate in {url}.",
        "certificate_expired": f"Renew the certificate on the {product} server (or its proxy).",
        "tls": f"Check in {url} whether it is http:// or https://, and the port.",
        "dns": f"Check the host name in {url}, and that it can be resolved where the bridge runs.",
        "refused": f"Check host and port in {url} and that {product} runs; inside a container, localhost is the "
        "container itself.",
        "connect_timeout": f"Check host and port in {url} and that no firewall lies in between.",
        "unreachable": f"Check {url}, and that the network of the machine with the bridge reaches it.",
    }
