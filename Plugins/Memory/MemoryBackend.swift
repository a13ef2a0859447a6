// The Memory backend.
