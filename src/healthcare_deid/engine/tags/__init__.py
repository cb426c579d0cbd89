"""What happens to data elements: profiles, lists, UIDs, private tags."""
