"""Django's MySQL backend with the same columns on MariaDB as on MySQL; named in the settings."""
