"""Agreement with outside references, and what the tests of it share."""
