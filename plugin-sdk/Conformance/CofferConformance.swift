// The room CofferConformance.
