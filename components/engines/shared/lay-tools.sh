#!/bin/sh
# Lays curl and openssl into a directory that the pod's containers see: a vendor's image need not have them. Each comes
# with its libraries and the loader of its own C library, so it does not matter which one the vendor's image has. Runs in
# quorum:toolsImage; for any sh, and writes nowhere else.
set -eu

readonly TOOLS="${QUORUM_TOOLS:-/quorum/tools}"

refuse() {
  echo "REFUSED: the image of quorum:toolsImage $*. Name one that has curl, openssl and ldd." >&2
  exit 1
}

for name in curl openssl ldd; do
  command -v "$name" >/dev/null || refuse "has no $name"
done

mkdir -p "$TOOLS/bin" "$TOOLS/lib"

# The authority's certificates must not depend on what an image's own file says, and it may include others.
printf '%s\n' '[req]' 'distinguished_name = name' 'x509_extensions = authority' '[name]' '[authority]' \
  'basicConstraints = critical,CA:true' 'subjectKeyIdentifier = hash' 'authorityKeyIdentifier = keyid:always' \
  >"$TOOLS/openssl.cnf"

for name in curl openssl; do
  program=$(command -v "$name")
  loader=''
  # Lines of ldd: NAME => PATH (ADDRESS), or PATH (ADDRESS).
  for library in $(ldd "$program" | sed -n 's/.* => //; s/^[[:space:]]*\(\/[^ ]*\).*/\1/p'); do
    cp -fL "$library" "$TOOLS/lib/"
    case ${library##*/} in ld-*) loader=${library##*/} ;; esac
  done
  [ -n "$loader" ] || refuse "has a $name of which ldd names no loader"
  cp -fL "$program" "$TOOLS/bin/$name"
  # What the vendor's image preloads is of its C library; --library-path goes before its LD_LIBRARY_PATH.
  # shellcheck disable=SC2016 # "$@" is the wrapper's
  printf '%s\n' '#!/bin/sh' 'unset LD_PRELOAD' "export OPENSSL_CONF='$TOOLS/openssl.cnf'" \
    "exec '$TOOLS/lib/$loader' --library-path '$TOOLS/lib' '$TOOLS/bin/$name' \"\$@\"" >"$TOOLS/$name"
  chmod 0755 "$TOOLS/$name"
done
