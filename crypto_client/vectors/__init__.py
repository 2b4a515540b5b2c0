"""Vectors that judge every implementation of docs/protocol.md, and what makes and replays them."""
