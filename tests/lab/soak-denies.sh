#!/bin/sh
# Tells squid, once for each line that it writes, whether the proxy denies everybody.
while read -r _; do
  if [ -e @dir@/soak/switches/proxy-denies ]; then echo OK; else echo ERR; fi
done
