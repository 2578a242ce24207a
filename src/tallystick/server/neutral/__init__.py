"""The venue-neutral side of the server: orders and events of all its venues, in the lifecycle's own words."""
