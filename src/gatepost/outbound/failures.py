"""The client library's errors in our words; theirs quote the URL, whose query may be secret."""

import ssl

import aiohttp

from gatepost.model.errors import Unreachable

_TABLE: tuple[tuple[type[BaseException], str, str], ...] = (
    # The narrow errors come before those they inherit from; {} is the reason the system gives.
    (aiohttp.ClientConnectorDNSError, "dns", "the name was not resolved"),
    (aiohttp.ClientConnectorCertificateError, "tls", "the certificate is not valid: {}"),
    (aiohttp.ClientSSLError, "tls", "no TLS connection could be agreed on"),
    (aiohttp.ConnectionTimeoutError, "connect", "no connection within the time allowed"),
    (aiohttp.ClientConnectorError, "connect", "no connection: {}"),
    (aiohttp.ServerDisconnectedError, "read", "the connection was closed before an answer came"),
    (aiohttp.ClientPayloadError, "read", "the answer broke off or is garbled"),
    (aiohttp.ClientResponseError, "read", "the answer is not valid HTTP"),
    (aiohttp.ClientConnectionResetError, "send", "the connection was closed while the request was sent"),
    (OSError, "read", "the connection broke: {}"),
    (BaseException, "read", "the exchange failed"),
)


def unreachable(error: BaseException, origin: str) -> Unreachable:
    """Say what went wrong with a receiver, by the phase in which it did."""
    phase, message = next((phase, text) for kind, phase, text in _TABLE if isinstance(error, kind))
    return Unreachable(f"{origin}: {message.format(_reason(error))}", phase=phase)


def _reason(error: BaseException) -> str:
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        fault = error.certificate_error
        return fault.verify_message if isinstance(fault, ssl.SSLCertVerificationError) else "a wrong name"
    return getattr(error, "strerror", None) or "the system gives no reason"
