"""The API's methods for an event loop, written by hand; `calls.sync_methods` is generated from them."""
