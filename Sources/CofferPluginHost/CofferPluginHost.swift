// The room CofferPluginHost.
