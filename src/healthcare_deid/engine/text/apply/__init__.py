"""Transform what was found: policy, keys, transformations."""
