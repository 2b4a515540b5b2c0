"""How Redis is reached: verified over TLS, not waited for for long, missed soon when it is gone."""

import socket
import ssl
from typing import Any

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

CONNECT_SECONDS = 2.0
ANSWER_SECONDS = 2.0
KEEPALIVE = (15, 5, 3)  # seconds of silence, seconds between questions, questions without answer


def connection(url: str, ca: str, **options: Any) -> Redis:
    """A client. Over TLS the server's certificate and name are verified, by ``ca`` if given."""
    if url.startswith("rediss:"):
        options |= {"ssl_cert_reqs": ssl.CERT_REQUIRED, "ssl_check_hostname": True}
        options |= {"ssl_ca_certs": ca} if ca else {}
    if hasattr(socket, "TCP_KEEPIDLE"):
        names = (socket.TCP_KEEPIDLE, socket.TCP_KEEPINTVL, socket.TCP_KEEPCNT)
        options["socket_keepalive_options"] = dict(zip(names, KEEPALIVE, strict=True))
    return Redis.from_url(
        url,
        socket_connect_timeout=CONNECT_SECONDS,
        socket_keepalive=True,
        retry=Retry(NoBackoff(), 0),  # we try again ourselves, and know of it
        **options,
    )


def name_of(error: BaseException) -> str:
    """What may be logged of an error: its class, never its text with addresses in it."""
    return type(error).__name__
