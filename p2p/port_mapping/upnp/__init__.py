"""UPnP Internet Gateway Device 1 and 2."""
