"""NAT-PMP (RFC 6886), and PCP (RFC 6887) where a router speaks only that, over a socket that hears nobody else."""
