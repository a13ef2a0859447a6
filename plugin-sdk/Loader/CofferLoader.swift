// The room CofferLoader.
