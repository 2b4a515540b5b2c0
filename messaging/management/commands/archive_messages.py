"""``manage.py archive_messages``: takes accepted messages from the broker and writes the log."""

import asyncio
import logging
import signal
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from messaging import metrics, runtime

log = logging.getLogger("gamrae.archiver")

LAST_BATCH_SECONDS = 10.0


class Command(BaseCommand):
    """One process is enough for all partitions; a second one stands by and takes over."""

    help = "Archive messages until told to end (cluster profile)."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        """None: everything is a setting."""

    def handle(self, *args: Any, **options: Any) -> None:
        if settings.SOLO:
            raise CommandError("GAMRAE_PROFILE is solo: there the server archives by itself.")
        try:
            metrics.serve(settings.METRICS_HOST, settings.METRICS_PORT)
        except metrics.CannotServe as trouble:
            raise CommandError(str(trouble)) from trouble
        asyncio.run(self.archive())

    async def archive(self) -> None:
        """Services that are not there yet, or go away, are waited for, each in its own way."""
        ending, loop = asyncio.Event(), asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, ending.set)
        queue = runtime.queue()
        await runtime.start()
        self.stdout.write("Gamrae: archiving")
        self.stdout.flush()
        archiving = asyncio.create_task(runtime.archiver().run(queue, ending))
        told = asyncio.create_task(ending.wait())
        await asyncio.wait({archiving, told}, return_when=asyncio.FIRST_COMPLETED)
        # A batch that cannot be written now is in the queue still: the next process takes it.
        done, _ = await asyncio.wait({archiving}, timeout=LAST_BATCH_SECONDS)
        told.cancel()
        archiving.cancel()
        await runtime.stop()
        for task in done:
            task.result()
