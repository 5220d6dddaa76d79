#!/bin/sh
# A hierarchy of authorities with everything that can be wrong with lists (CRL) and answers (OCSP), made by openssl.
# $1 is the folder; what nginx serves of it is in crl/ and ocsp/, a .pem (the chain) for each host, and leaf.key.
set -eu
mkdir -p "$1/crl" "$1/ocsp"
cd "$1"

ec() { openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:prime256v1 -out "$1"; }

cat > ca.cnf <<END
[ca]
default_ca = this
[this]
database = index.txt
crlnumber = crlnumber
default_md = sha256
crl_extensions = plain
[plain]
authorityKeyIdentifier = keyid
[delta]
authorityKeyIdentifier = keyid
2.5.29.27 = critical,ASN1:INTEGER:1
[req]
distinguished_name = name
[name]
[authority]
basicConstraints = critical,CA:true
keyUsage = critical,keyCertSign,cRLSign
subjectKeyIdentifier = hash
END
echo 01 > crlnumber
echo 'unique_subject = no' > index.txt.attr

# === authorities ===
ec root.key
openssl req -x509 -config ca.cnf -extensions authority -key root.key -subj "/CN=Revocation Root" -days 3650 -out root.pem
authority() { # name, common name, serial number, the place of its list, key
    { sed -n '/^\[authority\]/,$p' ca.cnf | tail -n +2; echo "crlDistributionPoints = URI:$4"; } > "$1.ext"
    openssl req -new -config ca.cnf -key "$5" -subj "/CN=$2" -out "$1.csr"
    openssl x509 -req -in "$1.csr" -CA root.pem -CAkey root.key -set_serial "$3" -days 3650 -sha256 \
        -extfile "$1.ext" -out "$1.ca" 2>> log
}
CRL=http://crl.rev.lab.test
ec inter.key
openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:secp521r1 -out p521.key
ec impostor.key
openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out rsa.key 2>> log
authority inter "Revocation Issuer" 0x11 $CRL/root.crl inter.key
authority impostor "Revocation Issuer" 0x12 $CRL/root.crl impostor.key
authority taken-back "Revoked Issuer" 0x13 $CRL/root.crl inter.key
authority rsa "RSA Issuer" 0x14 $CRL/root.crl rsa.key
authority p521 "P-521 Issuer" 0x15 $CRL/root.crl p521.key

# === servers ===
ec leaf.key
leaf_of() { # authority, key, name, serial number, what it says about revocation...
    of=$1; key=$2; name=$3; serial=$4; shift 4
    { echo "subjectAltName = DNS:$name.rev.lab.test"; echo "extendedKeyUsage = serverAuth"; printf '%s\n' "$@"; } > leaf.ext
    openssl req -new -config ca.cnf -key leaf.key -subj "/CN=$name.rev.lab.test" -out leaf.csr
    openssl x509 -req -in leaf.csr -CA "$of.ca" -CAkey "$key" -set_serial "0x$serial" -days 3650 -sha256 \
        -extfile leaf.ext -out "$name.leaf" 2>> log
    cat "$name.leaf" "$of.ca" > "$name.pem"
}
crl() { leaf_of inter inter.key "$1" "$2" "crlDistributionPoints = $3"; }
ocsp() { leaf_of inter inter.key "$1" "$2" "authorityInfoAccess = OCSP;URI:http://ocsp.rev.lab.test/$1"; }

crl crl-good 1001 "URI:$CRL/good.crl"
crl crl-revoked 1002 "URI:$CRL/good.crl"
crl crl-expired 1003 "URI:$CRL/expired.crl"
crl crl-wrong-signer 1004 "URI:$CRL/wrong-signer.crl"
crl crl-page 1005 "URI:$CRL/page.crl"
crl crl-large 1006 "URI:$CRL/large.crl"
crl crl-missing 1007 "URI:$CRL/missing.crl"
crl crl-down 1008 "URI:http://nobody.lab.test/down.crl"
crl crl-slow 1009 "URI:$CRL/slow.crl"
crl crl-delta 100a "URI:$CRL/delta.crl"
crl crl-second 100b "URI:$CRL/missing.crl,URI:ldap://nobody.lab.test/cn=x,URI:$CRL/good.crl"
crl crl-blocked 100c "URI:http://inside.lab.test/blocked.crl"
crl crl-pem 100d "URI:$CRL/pem.crl"
crl crl-ldap 100e "URI:ldap://nobody.lab.test/cn=x"
crl crl-counted 100f "URI:$CRL/counted.crl"
crl crl-kept 1010 "URI:$CRL/kept.crl"
ocsp ocsp-good 2001
ocsp ocsp-revoked 2002
ocsp ocsp-unknown 2003
ocsp ocsp-expired 2004
ocsp ocsp-wrong-signer 2005
ocsp ocsp-try-later 2006
ocsp ocsp-by-post 2007
ocsp ocsp-page 2008
ocsp ocsp-by-issuer 2009
ocsp stapled-good 3001
ocsp stapled-revoked 3002
leaf_of inter inter.key ocsp-then-crl 2101 "crlDistributionPoints = URI:$CRL/good.crl" \
    "authorityInfoAccess = OCSP;URI:http://nobody.lab.test/"
leaf_of inter inter.key nothing 4001
leaf_of taken-back inter.key inter-revoked 4002 "crlDistributionPoints = URI:$CRL/taken-back.crl"
leaf_of rsa rsa.key crl-rsa 4003 "crlDistributionPoints = URI:$CRL/rsa.crl"
leaf_of p521 p521.key crl-p521 4004 "crlDistributionPoints = URI:$CRL/p521.crl"
leaf_of inter inter.key crl-long 4005 "crlDistributionPoints = URI:$CRL/long.crl"

# Who is asked about these means harm (tests/kit/hostile/http.rs).
number=6000
for fault in cut-off deep largest-length endless redirect-loop; do
    number=$((number + 1))
    crl "list-$fault" "$number" "URI:http://list-$fault.http.hostile.lab.test/"
done
crl list-trickled 6010 "URI:http://trickled-body.http.hostile.lab.test/"
crl list-compressed 6011 "URI:http://compressed-list.http.hostile.lab.test/"
crl list-of-a-byte-too-much 6012 "URI:http://list-of-a-byte-too-much.http.hostile.lab.test/"
crl list-as-page 6013 "URI:$CRL/as-page.crl"
for fault in cut-off large endless; do
    number=$((number + 100))
    leaf_of inter inter.key "answer-$fault" "$number" \
        "authorityInfoAccess = OCSP;URI:http://answer-$fault.http.hostile.lab.test/"
done

# === lists ===
list() { # file, authority, its key, revoked numbers, more
    file=$1; of=$2; key=$3; : > index.txt
    for serial in $4; do
        printf 'R\t491231235959Z\t260101000000Z,keyCompromise\t%s\tunknown\t/CN=x\n' "$serial" >> index.txt
    done
    shift 4
    openssl ca -config ca.cnf -gencrl -cert "$of" -keyfile "$key" "$@" -out "$file.list" 2>> log
    openssl crl -in "$file.list" -outform DER -out "crl/$file.crl"
}
list root root.pem root.key 13 -crldays 7
list good inter.ca inter.key 1002 -crldays 7
list counted inter.ca inter.key 1002 -crldays 7
list kept inter.ca inter.key 1002 -crldays 7
list blocked inter.ca inter.key 1002 -crldays 7
list slow inter.ca inter.key 1002 -crldays 7
list taken-back taken-back.ca inter.key "" -crldays 7
list rsa rsa.ca rsa.key 1002 -crldays 7
list p521 p521.ca p521.key 1002 -crldays 7
list expired inter.ca inter.key "" -crl_lastupdate 20240101000000Z -crl_nextupdate 20240108000000Z
list wrong-signer impostor.ca impostor.key "" -crldays 7
list delta inter.ca inter.key "" -crldays 7 -crlexts delta
awk 'BEGIN { for (n = 1048576; n < 1098576; n++)
    printf "R\t491231235959Z\t260101000000Z,keyCompromise\t%X\tunknown\t/CN=x\n", n }' > index.txt
openssl ca -config ca.cnf -gencrl -cert inter.ca -keyfile inter.key -crldays 7 2>> log | openssl crl -outform DER -out crl/long.crl
cp good.list crl/pem.crl
echo '<html>This site is blocked by policy</html>' > crl/page.crl
truncate -s 60M crl/large.crl

# === answers ===
: > index.txt
for serial in 2001 2004 2005 2007 2009 3001; do
    printf 'V\t491231235959Z\t\t%s\tunknown\t/CN=x\n' "$serial" >> index.txt
done
for serial in 2002 3002; do
    printf 'R\t491231235959Z\t260101000000Z,superseded\t%s\tunknown\t/CN=x\n' "$serial" >> index.txt
done
signer() { # file, authority, key
    printf 'extendedKeyUsage = OCSPSigning\nkeyUsage = digitalSignature\n' > signer.ext
    ec "$1.key"
    openssl req -new -config ca.cnf -key "$1.key" -subj "/CN=Responder $1" -out signer.csr
    openssl x509 -req -in signer.csr -CA "$2.ca" -CAkey "$3" -set_serial "0x50$(wc -c < "$1.key")" -days 3650 -sha256 \
        -extfile signer.ext -out "$1.pem" 2>> log
}
signer delegate inter inter.key
signer stranger impostor impostor.key
answer() { # name, serial number, signer, its key
    $WHEN openssl ocsp -index index.txt -CA inter.ca -rsigner "$3" -rkey "$4" -issuer inter.ca -serial "0x$2" -no_nonce \
        -ndays 1 -noverify -respout "ocsp/$1.der" >> log 2>&1
}
WHEN=
answer ocsp-good 2001 delegate.pem delegate.key
answer ocsp-revoked 2002 delegate.pem delegate.key
answer ocsp-unknown 2003 delegate.pem delegate.key
answer ocsp-wrong-signer 2005 stranger.pem stranger.key
answer ocsp-by-post 2007 delegate.pem delegate.key
answer ocsp-by-issuer 2009 inter.ca inter.key
answer stapled-good 3001 delegate.pem delegate.key
answer stapled-revoked 3002 delegate.pem delegate.key
WHEN='faketime -f -30d'
answer ocsp-expired 2004 delegate.pem delegate.key
printf '0\003\012\001\003' > ocsp/ocsp-try-later.der
echo '<html>Please log in</html>' > ocsp/ocsp-page.der
