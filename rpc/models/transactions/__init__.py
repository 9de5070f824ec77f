"""What is signed: messages, the tweaks of their keys, and the transaction behind them."""
