"""``manage.py drain``: asks the people of a running server to move to another process."""

import os
import signal
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from messaging.serving.pid_file import NotRunning, find


class Command(BaseCommand):
    """For whoever knows earlier than SIGTERM that a process is to go; it serves on meanwhile."""

    help = "Take a running server of this machine out of use: it is not ended."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--port", type=int, default=settings.PORT, help="default: PORT")

    def handle(self, *args: Any, **options: Any) -> None:
        port = options["port"]
        try:
            os.kill(find(settings.DATA, port), signal.SIGUSR1)
        except NotRunning:
            raise CommandError(f"no server with {settings.DATA} listens on port {port}.") from None
        self.stdout.write(f"Gamrae: port {port} takes no new sockets, and its people move")
