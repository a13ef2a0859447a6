// The room CofferPluginSDK.
