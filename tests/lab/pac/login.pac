function FindProxyForURL(url, host) {
  return "PROXY squid.lab.test:3140";
}
