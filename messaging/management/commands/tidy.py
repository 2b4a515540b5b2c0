"""``manage.py tidy``: forgets what has run out; once a day is enough."""

from typing import Any

from django.core.management.base import BaseCommand

from messaging import services


class Command(BaseCommand):
    """Safe at any time and as often as one likes; every start of a server does the same."""

    help = "Forget ended sessions, boxes of links, and wraps that nobody fetched for 60 days."

    def handle(self, *args: Any, **options: Any) -> None:
        forgotten = services.forget_what_has_run_out()
        self.stdout.write(f"Gamrae: {forgotten} old wraps forgotten, ended sessions cleared")
