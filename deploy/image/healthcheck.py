"""Says by its exit status whether the web process of this container lives. Needs no package."""

import os
import ssl
import sys
from http.client import HTTPConnection, HTTPException, HTTPSConnection

SECONDS = 4


def connection() -> HTTPConnection:
    """To this very container, over HTTPS when the server speaks it itself."""
    port = int(os.environ.get("PORT", "8000"))
    if not (os.environ.get("TLS_CERT") or os.environ.get("TLS_CERT_FILE")):
        return HTTPConnection("127.0.0.1", port, timeout=SECONDS)
    # The certificate names the public host, which this address is not.
    anybody = ssl.create_default_context()
    anybody.check_hostname = False
    anybody.verify_mode = ssl.CERT_NONE
    return HTTPSConnection("127.0.0.1", port, timeout=SECONDS, context=anybody)


def lives() -> bool:
    """Whether ``/healthz/live`` answers 200."""
    asked = connection()
    try:
        asked.request("GET", "/healthz/live")
        return asked.getresponse().status == 200
    except (OSError, HTTPException):
        return False
    finally:
        asked.close()


if __name__ == "__main__":
    sys.exit(0 if lives() else 1)
