"""The charts of the analysts' page: one question per module."""
