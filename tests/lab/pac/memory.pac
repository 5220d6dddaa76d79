function FindProxyForURL(url, host) {
  var kept = [];
  for (;;) kept.push(new Array(100000).fill(host));
}
