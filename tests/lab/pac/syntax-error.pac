function FindProxyForURL(url, host) {
  if (host == "web.lab.test" {
    return "DIRECT";
  }
}
