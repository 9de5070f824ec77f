"""Every method of the API as a coroutine function."""
