"""The two products as typed calls over one careful HTTP session per connection."""
