"""The API's methods for threads, all but `instances` generated from `calls.async_methods`."""
