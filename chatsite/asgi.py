"""What a server runs: pages and REST by Django, the socket by Channels."""

import os

from channels.routing import ProtocolTypeRouter
from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "chatsite.settings")
http = get_asgi_application()

from messaging.routing import sockets  # noqa: E402 (models exist only after Django has started)

application = ProtocolTypeRouter({"http": http, "websocket": sockets})
