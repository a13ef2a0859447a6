// The Local backend.
