"""Units of systemd: their texts, what options add to them, and putting them into place."""
