"""Half one: runs beside the data, outbound connections only. Never imports the hub."""
