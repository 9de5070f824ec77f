"""The audit log: who did what with the keys, in a hash chain that reveals every later change."""
