"""The commands, one file each; the only room that builds objects. May import every other room."""
