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
