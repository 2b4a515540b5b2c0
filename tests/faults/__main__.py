"""``python -m tests.faults``, started by bin/faults. The bench reads stores as the server does."""

import os
import sys

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "chatsite.settings")
django.setup()

from tests.faults.command import main  # noqa: E402

sys.exit(main())
