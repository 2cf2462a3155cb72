"""One run on disk: its settings, record, folder, predictions and stored features."""
