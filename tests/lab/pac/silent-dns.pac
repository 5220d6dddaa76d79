// Asks for a name that nobody answers for.
function FindProxyForURL(url, host) {
  return isResolvable("unanswered.lab.test") ? "DIRECT" : "PROXY squid.lab.test:3128";
}
