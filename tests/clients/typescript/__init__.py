"""The TypeScript kit."""
