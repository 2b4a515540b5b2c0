"""What a server runs: pages and REST by Django, the socket by Channels."""

import os
from typing import cast

from channels.routing import ProtocolTypeRouter
from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "chatsite.settings")
http = get_asgi_application()

# Models exist only after Django has started.
from chatsite.entrance import (  # noqa: E402
    App,
    at_the_root,
    bounded,
    traced_requests,
    traced_sockets,
)
from messaging.routing import sockets  # noqa: E402

application = ProtocolTypeRouter(
    {
        "http": at_the_root(traced_requests(bounded(cast(App, http)))),
        "websocket": at_the_root(traced_sockets(sockets)),
    }
)
