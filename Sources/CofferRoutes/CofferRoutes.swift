// The room CofferRoutes.
