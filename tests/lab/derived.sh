#!/bin/sh
# An authority whose certificates name a list, a responder and its own certificate. $1 is the folder, $2 the address of
# the web server, $3 the port of its plain HTTP, $4 that of the responder. What is served is in www/.
set -eu
mkdir -p "$1/www"
cd "$1"

ec() { openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:prime256v1 -out "$1"; }

cat > ca.cnf <<END
[ca]
default_ca = this
[this]
database = index.txt
crlnumber = crlnumber
default_md = sha256
[req]
distinguished_name = name
[name]
[authority]
basicConstraints = critical,CA:true
keyUsage = critical,keyCertSign,cRLSign,digitalSignature
subjectKeyIdentifier = hash
END
echo 01 > crlnumber
: > index.txt

ec ca.key
openssl req -x509 -config ca.cnf -extensions authority -key ca.key -subj "/CN=Derived CA" -days 30 -out ca.pem
openssl x509 -in ca.pem -outform DER -out www/ca.crt

ec leaf.key
leaf() { # name, serial number, what it names...
    name=$1; serial=$2; shift 2
    { echo "subjectAltName = IP:$ADDRESS"; printf '%s\n' "$@"; } > leaf.ext
    openssl req -new -config ca.cnf -key leaf.key -subj "/CN=$name" -out leaf.csr
    openssl x509 -req -in leaf.csr -CA ca.pem -CAkey ca.key -set_serial "0x$serial" -days 20 -sha256 \
        -extfile leaf.ext -out "$name.pem" 2>> log
    # A responder knows what its index names.
    printf 'V\t%s\t\t%s\tunknown\t/CN=%s\n' 491231235959Z "$serial" "$name" >> index.txt
}
ADDRESS=$2
HTTP=http://$2:$3
leaf first 1001 "crlDistributionPoints = URI:$HTTP/first.crl" \
    "authorityInfoAccess = OCSP;URI:http://$2:$4,caIssuers;URI:$HTTP/ca.crt"
leaf second 1002 "crlDistributionPoints = URI:$HTTP/second.crl"

openssl ca -config ca.cnf -cert ca.pem -keyfile ca.key -gencrl -crldays 10 -out list.pem 2>> log
openssl crl -in list.pem -outform DER -out www/first.crl
cp www/first.crl www/second.crl
