#!/bin/sh
# Makes the key and trust stores beside this file with Java 17's keytool and openssl 3; the passwords stand here.
set -eu
cd "$(dirname "$0")"
rm -f *.jks *.p12 *.pem *.jceks
keytool -genkeypair -alias client -keyalg EC -groupname secp256r1 -validity 36500 -dname CN=alice \
    -keystore key.jks -storetype JKS -storepass store-secret -keypass key-secret
keytool -genkeypair -alias client -keyalg EC -groupname secp256r1 -validity 36500 -dname CN=alice \
    -keystore key.p12 -storetype PKCS12 -storepass store-secret
keytool -exportcert -alias client -keystore key.jks -storepass store-secret -rfc -file certificate.pem
keytool -importcert -noprompt -alias alice -file certificate.pem -keystore trust.jks -storetype JKS -storepass store-secret
keytool -importcert -noprompt -alias alice -file certificate.pem -keystore trust.p12 -storetype PKCS12 -storepass store-secret
keytool -J-Dkeystore.pkcs12.legacy -genkeypair -alias client -keyalg EC -groupname secp256r1 -validity 36500 -dname CN=alice \
    -keystore legacy.p12 -storetype PKCS12 -storepass store-secret
keytool -importkeystore -srckeystore key.p12 -srcstorepass store-secret -destkeystore other.jceks -deststoretype JCEKS -deststorepass store-secret
openssl pkcs12 -in key.p12 -passin pass:store-secret -passout pass:key-secret -out key.pem
openssl pkcs12 -in key.p12 -passin pass:store-secret -nodes -out plain-key.pem
# What is hashed once and not ten thousand times, and what has no digest: for `make fuzz TARGET=key_stores`.
openssl pkcs12 -export -in plain-key.pem -name client -passout pass:store-secret -iter 1 -maciter -out quick.p12
openssl pkcs12 -export -in plain-key.pem -name client -passout pass: -keypbe NONE -certpbe NONE -nomac -out bare.p12
openssl pkcs8 -topk8 -in plain-key.pem -iter 1 -passout pass:key-secret -out quick-key.pem
openssl x509 -in plain-key.pem >>quick-key.pem
chmod 644 quick.p12 bare.p12 quick-key.pem
