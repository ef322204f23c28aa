"""What ctmux adds to supervisord's own process: a plugin, loaded by `[rpcinterface:ctmux]`."""
