// The Fault backend.
