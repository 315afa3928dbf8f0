"""The client library's errors in our words; theirs quote the URL, whose query may be secret."""

import ssl

import aiohttp

from gatepost.model.delivery import ErrorClass
from gatepost.model.errors import Unreachable

_TABLE: tuple[tuple[type[BaseException], ErrorClass, str], ...] = (
    # The narrow errors come before those they inherit from; {} is the reason the system gives.
    (aiohttp.ClientConnectorDNSError, ErrorClass.DNS, "the name was not resolved"),
    (aiohttp.ClientConnectorCertificateError, ErrorClass.TLS, "the certificate is not valid: {}"),
    (aiohttp.ClientSSLError, ErrorClass.TLS, "no TLS connection could be agreed on"),
    (aiohttp.ConnectionTimeoutError, ErrorClass.TIMEOUT_CONNECT, "no connection within the time allowed"),
    (aiohttp.ClientConnectorError, ErrorClass.CONNECT, "no connection: {}"),
    (aiohttp.ServerDisconnectedError, ErrorClass.BROKEN, "the connection was closed before an answer came"),
    (aiohttp.ClientPayloadError, ErrorClass.BROKEN, "the answer broke off or is garbled"),
    (aiohttp.ClientResponseError, ErrorClass.BROKEN, "the answer is not valid HTTP"),
    (
        aiohttp.ClientConnectionResetError,
        ErrorClass.BROKEN,
        "the connection was closed while the request was sent",
    ),
    (OSError, ErrorClass.BROKEN, "the connection broke: {}"),
    (BaseException, ErrorClass.BROKEN, "the exchange failed"),
)


def unreachable(error: BaseException, origin: str) -> Unreachable:
    """Say what went wrong with a receiver, by the class of the failure."""
    error_class, message = next((found, text) for kind, found, text in _TABLE if isinstance(error, kind))
    return Unreachable(f"{origin}: {message.format(_reason(error))}", error_class=error_class)


def _reason(error: BaseException) -> str:
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        fault = error.certificate_error
        return fault.verify_message if isinstance(fault, ssl.SSLCertVerificationError) else "a wrong name"
    return getattr(error, "strerror", None) or "the system gives no reason"
