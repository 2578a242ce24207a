"""Who is asking and what they may do: the words a dialect and the server share about it."""
