"""Our ids are 16 random bytes, and MariaDB's own UUID column refuses those that are no RFC 4122.

So ids are ``char(32)`` on both, which also lets a dump of one be read by the other.
"""

from typing import Any

from django.db.backends.mysql import base
from django.db.backends.mysql.features import DatabaseFeatures as MySQLFeatures


class DatabaseFeatures(MySQLFeatures):
    has_native_uuid_field: Any = False


class DatabaseWrapper(base.DatabaseWrapper):
    """What Django looks for under this name."""

    features_class = DatabaseFeatures
