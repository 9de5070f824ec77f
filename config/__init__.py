"""Settings, where things lie on the disk, and the set-up of logs. Knows no other package of ours.

Nothing is imported here: who asks for a location must not wait for the library that validates settings.
"""
