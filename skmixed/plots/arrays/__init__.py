"""What the longer displays show, computed from a fitted model; files are named as displays."""
