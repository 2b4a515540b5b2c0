"""Private MariaDB, RabbitMQ, Redis and MongoDB for tests and development; see bin/services."""
