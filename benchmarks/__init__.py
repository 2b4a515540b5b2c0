"""What Gamrae costs, measured on the machine that asks. See README.md beside this file."""
