"""What calls take and give, as dataclasses. Written from the API's description; see the modules."""
