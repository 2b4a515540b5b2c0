"""``manage.py serve``: the server, with everything that belongs to the process around it."""

import asyncio
import gc
import logging
import signal
import time
from argparse import ArgumentParser
from contextlib import ExitStack
from importlib import import_module
from typing import Any

from asgiref.sync import async_to_sync
from channels.routing import get_default_application
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import OperationalError, connection, connections
from django.db.migrations.executor import MigrationExecutor

from accounts.refusals import Refused
from messaging import metrics, runtime, services
from messaging.backoff import Backoff
from messaging.drain import this_process
from messaging.serving import CannotListen, Listening
from messaging.serving.data_lock import InUse, locked
from messaging.serving.pid_file import hold
from messaging.transport import fast_send

log = logging.getLogger("gamrae.serve")

# MySQL's: too many connections, shutting down, no socket, refused, gone, lost while asking.
NOT_THERE_YET = {1040, 1053, 2002, 2003, 2006, 2013}


class Command(BaseCommand):
    """Checks what can be wrong before anybody connects, then serves until told to end."""

    help = "Serve pages, REST and the chat socket."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--host", default=settings.HOST, help="default: HOST")
        parser.add_argument(
            "--port", type=int, default=settings.PORT, help="default: PORT; 0 takes a free one"
        )
        parser.add_argument(
            "--server",
            choices=("daphne", "uvicorn"),
            default=settings.SERVER,
            help="default: GAMRAE_SERVER",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        self.wait_for_database()
        self.check_migrated()
        with ExitStack() as stack:
            if settings.SOLO:
                try:
                    stack.enter_context(locked(settings.DATA))
                except InUse:
                    raise CommandError(
                        f"GAMRAE_DATA: another server uses {settings.DATA}: stop it, or name"
                        " another folder."
                    ) from None
            self.serve(options["server"], options["host"], options["port"])

    def wait_for_database(self) -> None:
        """Its server may come later than this process; a wrong password or name never does."""
        backoff = Backoff()
        while True:
            try:
                connection.ensure_connection()
            except OperationalError as error:
                if error.args[0] not in NOT_THERE_YET:
                    raise
                log.error("code=database_unavailable error=%s", error.args[0])
                time.sleep(backoff.pause())
            else:
                return

    def check_migrated(self) -> None:
        """A server over an old database would fail at the first request, with less to say."""
        executor = MigrationExecutor(connection)
        if executor.migration_plan(executor.loader.graph.leaf_nodes()):
            raise CommandError("The database is not up to date: run manage.py migrate first.")

    def serve(self, server: str, host: str, port: int) -> None:
        fast_send()
        async_to_sync(self.recover)()
        services.forget_what_has_run_out()
        connections.close_all()
        listening = Listening(
            host=host,
            port=port,
            certificate=settings.TLS_CERT,
            key=settings.TLS_KEY,
            opened=self.opened,
            began=lambda taken: self.began(host, taken),
            drain=lambda: this_process().run(runtime.queue()),
        )
        try:
            metrics.serve(settings.METRICS_HOST, settings.METRICS_PORT)
            with_server = import_module(f"messaging.serving.with_{server}")
            with_server.serve(get_default_application(), listening)
        except metrics.CannotServe as error:
            raise CommandError(str(error)) from error
        except CannotListen as error:
            raise CommandError(f"HOST, PORT: cannot listen at {host}:{port}: {error}") from error

    async def opened(self) -> None:
        """Let connections live here, and drain when ``manage.py drain`` says so."""
        asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, this_process().begin)
        await runtime.start()

    async def recover(self) -> None:
        """Finish what crashed processes left. What cannot be finished now waits for the next."""
        await runtime.start()
        try:
            await services.finish_pending_commits()
            await services.finish_erasures()
        except Refused as refused:
            log.warning("code=%s step=recover", refused.code)
        finally:
            await runtime.stop()

    def began(self, host: str, port: int) -> None:
        """Be found, and keep: the garbage collector need not look again at what is loaded now."""
        self.pid_file = hold(settings.DATA, port)
        gc.collect()
        gc.freeze()
        scheme = "https" if settings.TLS_CERT else "http"
        taken = port != settings.PORT
        address = f"{scheme}://{host}:{port}" if taken else settings.PUBLIC_URL
        self.stdout.write(f"Gamrae: {address}")
        self.stdout.flush()
