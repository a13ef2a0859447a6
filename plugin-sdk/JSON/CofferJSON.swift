// The room CofferJSON.
