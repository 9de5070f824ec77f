"""Settings, file locations, and the set-up of logs. Imports no other package of ours.

Nothing is imported here: a command that needs a location must not wait for the library that validates settings.
"""
