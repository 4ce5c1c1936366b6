# The API server without curl, which MongoDB's image does not have: openssl carries the request. Sourced after record.sh,
# whose function it replaces.
# shellcheck shell=bash

kube() { # METHOD URL [BODY]
  local method=$1 path=/${2#https://*/} body=${3:-} host=$KUBERNETES_SERVICE_HOST answer status
  [[ $host != *:* ]] || host="[$host]"
  # HTTP/1.0: the server closes the connection after its answer and sends it in one piece.
  answer=$({
    printf '%s %s HTTP/1.0\r\nHost: kubernetes.default.svc\r\nAccept: application/json\r\n' "$method" "$path"
    printf 'Authorization: Bearer %s\r\n' "$(<"$ACCOUNT/token")"
    [[ -z $body ]] || printf 'Content-Type: application/merge-patch+json\r\nContent-Length: %s\r\n' "$(wc -c < <(printf '%s' "$body"))"
    printf '\r\n%s' "$body"
  } | timeout 5 openssl s_client -quiet -verify_quiet -verify_return_error -CAfile "$ACCOUNT/ca.crt" \
    -servername kubernetes.default.svc -verify_hostname kubernetes.default.svc \
    -connect "$host:$KUBERNETES_SERVICE_PORT" 2>/dev/null) || [[ -n $answer ]] || return 1
  status=${answer#HTTP/* }
  printf '%s\n' "${answer#*$'\r\n\r\n'}"
  [[ $status == 2* ]]
}
