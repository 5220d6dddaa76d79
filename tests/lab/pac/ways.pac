// One way a host, and one more a query where plain HTTP shows the whole URL.
function FindProxyForURL(url, host) {
  var query = url.indexOf("?");
  if (query >= 0) return byQuery(url.substring(query + 1));
  switch (host) {
    case "web.lab.test": return "PROXY squid.lab.test:3128; DIRECT";
    case "api.lab.test": return "HTTPS squid.lab.test:3443";
    case "outside.lab.test": return "SOCKS5 dante.lab.test:1080";
    case "h2.lab.test": return "SOCKS dante.lab.test";
    case "tls13.lab.test": return "PROXY silent.fault.lab.test:3128; PROXY squid.lab.test:3128";
    case "tls12.lab.test": return "DIRECT";
    case "expired.lab.test": return "DIRECT";
    case "inside.lab.test": return isInNet(host, "@nginx@", "255.255.255.255") ? "PROXY squid.lab.test:3128" : "DIRECT";
    case "nobody.lab.test": return isResolvable("does-not-exist.lab.test") ? "no" : "PROXY does-not-exist.lab.test:3128";
  }
  // Names resolve only at the proxy, or nowhere.
  return "PROXY squid.lab.test:3128";
}

function byQuery(query) {
  switch (query) {
    case "direct": return "DIRECT";
    case "empty": return "";
    case "undefined": return undefined;
    case "unknown": return "GOPHER squid.lab.test:70";
    case "socks4": return "SOCKS4 dante.lab.test:1080";
    case "dead-then-alive": return "PROXY nobody.lab.test:3128; PROXY squid.lab.test:3128";
    case "dead-then-direct": return "HTTPS nobody.lab.test:3443; SOCKS5 close.fault.lab.test:1080; DIRECT";
    case "closes-then-alive": return "PROXY close.fault.lab.test:3128; PROXY squid.lab.test:3128";
    case "silent-then-alive": return "PROXY silent.fault.lab.test:3128; PROXY squid.lab.test:3128";
    case "untrusted-then-alive": return "HTTPS squid.lab.test:3443; PROXY squid.lab.test:3128";
    case "all-dead": return "PROXY nobody.lab.test:3128; SOCKS nobody.lab.test; PROXY nothing-there.lab.test:80";
    case "denies-then-alive": return "PROXY squid.lab.test:3129; PROXY squid.lab.test:3128";
    case "alive-then-unknown": return "PROXY squid.lab.test:3128; GOPHER a:70";
  }
  return "PROXY squid.lab.test:3128";
}
