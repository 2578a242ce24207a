"""What goes out by itself: events, sent to webhooks and streamed to whoever listens. Knows no dialect's words."""
