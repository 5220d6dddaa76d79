function FindProxyForURL(url, host) {
  return proxyOf(host);
}

function proxyOf(host) {
  return proxies[host];
}
