"""What `musig-cli` shows to people rather than programs: tables, refusals, what a request signs, who is awaited."""
