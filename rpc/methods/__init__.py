"""The methods of the API, one file per domain; `rpc.table` joins them."""
