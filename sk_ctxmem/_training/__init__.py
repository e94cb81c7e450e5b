"""Training of the network on rows. Only this room imports skorch."""
