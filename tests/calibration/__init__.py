"""Do tests and intervals keep what they promise? Simulated samples, known truth."""
