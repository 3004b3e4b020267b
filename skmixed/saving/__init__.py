"""What a saved model holds: fields without cached values, labels as arrays, the version."""
