"""How each display draws its arrays: files are named as displays, or as what they share."""
