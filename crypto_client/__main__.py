"""``python -m crypto_client``: the command-line client (docs/cli.md)."""

import sys

from crypto_client.cli import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
