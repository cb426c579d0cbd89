"""HTTP front end: request and reply values, routes, and two ways in.

Requests arrive on a port or from the same process.
"""
