// Natives that the engine cannot interrupt.
function FindProxyForURL(url, host) {
  if (url.indexOf("?hang") >= 0) new Array(4294967295).sort();
  return "DIRECT";
}
