"""The methods of the API: each module answers the calls of one kind of resource."""
