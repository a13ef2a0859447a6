// The room CofferService.
