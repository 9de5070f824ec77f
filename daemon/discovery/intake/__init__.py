"""The one way into the directory, whichever channel brought a record."""
