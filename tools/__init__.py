"""Programs for whoever maintains this project; nothing here is installed with it."""
