// The room CofferProfile.
