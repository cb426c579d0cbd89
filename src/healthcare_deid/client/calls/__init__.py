"""The API's methods, a group a file: its flows, then the threads' shell over them, then the event loop's."""
