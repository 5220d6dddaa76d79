// The functions of a proxy script, as of Netscape's specification, with Microsoft's additions for IPv6. What needs
// the world outside comes as `native`. Its `resolve` throws where the run must begin again; nothing else of it throws.
(function (native) {
  "use strict";

  function text(value) {
    return String(value);
  }

  function isAddress(host) {
    return native.isIpv4(host);
  }

  // A glob as scripts in the field write it: `*` is any text, `?` any character, a dot itself; the rest is a regular
  // expression, so that `(a|b)` and `[a-z]` mean what they mean in browsers. What is no regular expression is a text.
  function shExpMatch(string, pattern) {
    const glob = text(pattern);
    if (!/[()|\[\]^$+{}\\]/.test(glob)) return matches(text(string), glob);
    const translated = glob.replaceAll(".", "\\.").replaceAll("*", ".*").replaceAll("?", ".");
    try {
      return new RegExp("^" + translated + "$", "s").test(text(string));
    } catch {
      return matches(text(string), glob);
    }
  }

  // Where there are but `*` and `?`: in time that is bounded by the lengths.
  function matches(s, p) {
    let i = 0, j = 0, star = -1, mark = 0;
    while (i < s.length) {
      if (j < p.length && p[j] === "*") {
        star = j++;
        mark = i;
      } else if (j < p.length && (p[j] === "?" || p[j] === s[i])) {
        i++;
        j++;
      } else if (star >= 0) {
        j = star + 1;
        i = ++mark;
      } else {
        return false;
      }
    }
    while (j < p.length && p[j] === "*") j++;
    return j === p.length;
  }

  function isPlainHostName(host) {
    return !/[.:]/.test(text(host));
  }

  function dnsDomainIs(host, domain) {
    return text(host).endsWith(text(domain));
  }

  function localHostOrDomainIs(host, hostdom) {
    return text(host) === text(hostdom) || text(hostdom).startsWith(text(host) + ".");
  }

  function dnsDomainLevels(host) {
    return text(host).split(".").length - 1;
  }

  function dnsResolve(host) {
    const found = native.resolve(text(host)).filter(isAddress);
    return found.length > 0 ? found[0] : null;
  }

  function isResolvable(host) {
    return dnsResolve(host) !== null;
  }

  function convert_addr(address) {
    const parts = text(address).split(".");
    return ((parts[0] & 255) << 24) | ((parts[1] & 255) << 16) | ((parts[2] & 255) << 8) | (parts[3] & 255);
  }

  function isInNet(host, pattern, mask) {
    if (!isAddress(text(pattern)) || !isAddress(text(mask))) return false;
    const address = isAddress(text(host)) ? text(host) : dnsResolve(host);
    if (address === null) return false;
    const bits = convert_addr(mask);
    return (convert_addr(address) & bits) === (convert_addr(pattern) & bits);
  }

  function myIpAddress() {
    return native.ownAddresses().find(isAddress) ?? "127.0.0.1";
  }

  const DAYS = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];
  const MONTHS = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];

  // Takes a last "GMT" off the list; says what a date has in that zone.
  function clock(list) {
    const gmt = list.length > 0 && text(list[list.length - 1]).toUpperCase() === "GMT";
    if (gmt) list.pop();
    const now = new Date(native.milliseconds());
    return (what) => now[(gmt ? "getUTC" : "get") + what]();
  }

  // Whether `now` is between the ends, which are included; from a later one to an earlier one is over the turn.
  function between(from, now, to) {
    return from <= to ? from <= now && now <= to : from <= now || now <= to;
  }

  function weekdayRange(...list) {
    const get = clock(list);
    const [from, to] = list.map((day) => DAYS.indexOf(text(day).toUpperCase()));
    if (list.length < 1 || list.length > 2 || from < 0 || to < 0) return false;
    return between(from, get("Day"), to ?? from);
  }

  // day, month, year; day, day; month, month; year, year; day, month, day, month; and so on.
  function dateRange(...list) {
    const get = clock(list);
    const parts = list.map((part) => {
      const month = MONTHS.indexOf(text(part).toUpperCase());
      if (month >= 0) return ["Month", month];
      const number = Number(part);
      if (!Number.isInteger(number) || number < 1) return null;
      return number <= 31 ? ["Date", number] : ["FullYear", number];
    });
    if (parts.length < 1 || parts.length > 6 || parts.includes(null)) return false;
    // Alike ends are a range; else each part is one value, as in 24, "DEC".
    const half = parts.length / 2;
    const ends = parts.length > 1 && Number.isInteger(half) &&
      parts.slice(0, half).every(([kind], index) => kind === parts[half + index][0]);
    const [from, to] = ends ? [parts.slice(0, half), parts.slice(half)] : [parts, parts];
    const kinds = ["FullYear", "Month", "Date"].filter((kind) => from.some(([other]) => other === kind));
    if (kinds.length !== from.length) return false;
    // A number with the year above the month above the day.
    const size = (value) => kinds.reduce((sum, kind) => sum * 10000 + value(kind), 0);
    const of = (end) => size((kind) => end.find(([other]) => other === kind)[1]);
    const now = size(get);
    if (kinds[0] === "FullYear" && of(from) > of(to)) return false;
    return between(of(from), now, of(to));
  }

  // hour; hour, hour; hour, minute, hour, minute; hour, minute, second, hour, minute, second. The ends are included
  // as far as they are given: to 17 is to 17:59:59.
  function timeRange(...list) {
    const get = clock(list);
    const numbers = list.map(Number);
    const half = Math.max(1, numbers.length / 2);
    const isWrong = (number, index) => !Number.isInteger(number) || number < 0 || number > (index % half === 0 ? 24 : 59);
    if (![1, 2, 4, 6].includes(numbers.length) || numbers.some(isWrong)) return false;
    const size = (parts) => parts.reduce((sum, part) => sum * 60 + part, 0);
    const now = ["Hours", "Minutes", "Seconds"].slice(0, half).map(get);
    const [from, to] = [numbers.slice(0, half), numbers.slice(-half)];
    return between(size(from), size(now), size(to));
  }

  function alert(message) {
    native.alert(text(message).slice(0, 1000));
  }

  function dnsResolveEx(host) {
    return native.resolve(text(host)).join(";");
  }

  function isResolvableEx(host) {
    return dnsResolveEx(host) !== "";
  }

  function isInNetEx(host, prefix) {
    const addresses = native.isAddress(text(host)) ? [text(host)] : native.resolve(text(host));
    return addresses.length > 0 && native.isInPrefix(addresses[0], text(prefix));
  }

  function myIpAddressEx() {
    return native.ownAddresses().join(";");
  }

  function sortIpAddressList(list) {
    return native.sorted(text(list)) ?? false;
  }

  function getClientVersion() {
    return "1.0";
  }

  Object.assign(globalThis, {
    isPlainHostName, dnsDomainIs, localHostOrDomainIs, isResolvable, isInNet, dnsResolve, convert_addr, myIpAddress,
    dnsDomainLevels, shExpMatch, weekdayRange, dateRange, timeRange, alert, isResolvableEx, isInNetEx, dnsResolveEx,
    myIpAddressEx, sortIpAddressList, getClientVersion,
  });
})
