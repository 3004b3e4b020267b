"""How the longer displays draw their arrays: files are named as displays, or as what they draw."""
