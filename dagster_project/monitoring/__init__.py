"""What became of answers: the prediction log as a table."""
