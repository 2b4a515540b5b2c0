"""Builds the image where there is no container engine, and runs it as one would; see bin/image."""
