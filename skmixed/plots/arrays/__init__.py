"""What each display shows, computed from a fitted model; each file is named as its display."""
