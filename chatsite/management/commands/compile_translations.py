"""manage.py compile_translations [--check]"""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from chatsite.messages_catalog import compile_catalogs, complaints


class Command(BaseCommand):
    help = "Compiles the translations; with --check also says what is missing, empty or left over."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--check", action="store_true", help="fail when English is incomplete")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["check"]:
            found = complaints(settings.BASE_DIR)
            if found:
                raise CommandError("\n".join(found))
        compile_catalogs(settings.BASE_DIR)
