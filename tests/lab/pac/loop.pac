function FindProxyForURL(url, host) {
  while (url.indexOf("?loop") >= 0) {}
  return "DIRECT";
}
