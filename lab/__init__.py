"""What is made to be measured, with its truth recorded: nothing here is real, and everything says so."""
