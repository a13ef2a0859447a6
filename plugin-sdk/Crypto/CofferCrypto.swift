// The room CofferCrypto.
