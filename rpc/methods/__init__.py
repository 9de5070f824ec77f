"""The methods of the API, one file per domain; `rpc.methods.table` joins them."""
