"""The HTTP server: listeners, routes, who may knock, the page."""
