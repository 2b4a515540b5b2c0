"""Mail of a server that has no mail address yet: a folder, and one line on the console."""

import sys
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

from django.conf import settings
from django.core.mail.backends.base import BaseEmailBackend
from django.core.mail.message import EmailMessage


class FolderBackend(BaseEmailBackend):
    """Writes each message to a file of its own in `EMAIL_FILE_PATH` and prints the file's path."""

    def __init__(self, fail_silently: bool = False, **options: Any) -> None:
        super().__init__(fail_silently=fail_silently)
        self.folder = Path(settings.EMAIL_FILE_PATH)

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        for message in email_messages:
            # Messages carry reset links: for the operator's eyes alone.
            path = self.folder / f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{uuid4().hex[:8]}.eml"
            path.touch(mode=0o600)
            path.write_bytes(message.message().as_bytes())
            # A console that has gone away must not undo a sign-up whose mail is written.
            with suppress(OSError):
                sys.stdout.write(f"mail: {path}\n")
                sys.stdout.flush()
        return len(email_messages)
