function FindProxyForURL(url, host) {
  return "PROXY @squid-negotiate@:3128";
}
