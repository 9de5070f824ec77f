#!/bin/sh
# All four phases from the side of two wallets, with nothing but curl.
#
#     examples/sign_together.sh ALICE_DATADIR BOB_DATADIR
#
# Each data directory belongs to a running daemon. Events are read with getEvents, which waits (long poll).
set -eu
[ $# -eq 2 ] || { sed -n '2,6s/^# \{0,1\}//p' "$0"; exit 2; }
alice=$1
bob=$2

# What stands behind the first "NAME": in JSON. Enough here; programs use a JSON reader.
first() { # first NAME
  sed 's/"'"$1"'":/\
&/' | sed -n 's/^"'"$1"'":"\{0,1\}\([^",}]*\).*/\1/p' | head -n 1
}

call() { # call DATADIR METHOD PARAMS
  url=$(tr -d ' \n' <"$1/endpoint.json" | first rpc)
  answer=$(curl -sS --max-time 90 "$url" \
    -H "Authorization: Bearer $(cat "$1/.cookie")" -H 'Content-Type: application/json' \
    -d '{"jsonrpc":"2.0","id":1,"method":"'"$2"'","params":'"${3:-"{}"}"'}')
  case $answer in
    *'"error":'*) printf '%s\n' "$answer" >&2; exit 1 ;;
    *) printf '%s\n' "$answer" ;;
  esac
}

bytes() { # bytes HEX: as they are, on standard output
  # shellcheck disable=SC2059
  printf "$(printf '%s\n' "$1" | awk 'BEGIN { for (i = 0; i < 256; i++) value[sprintf("%02x", i)] = i }
    { for (i = 1; i < length($0); i += 2) printf "\\%03o", value[substr($0, i, 2)] }')"
}

sha256d() { # sha256d HEX: SHA-256 twice
  once=$(bytes "$1" | sha256sum | cut -d' ' -f1)
  bytes "$once" | sha256sum | cut -d' ' -f1
}

event() { # event DATADIR FROM_SEQ NAME: the first event of that name, waiting for it
  from=$2
  for _ in 1 2 3 4; do
    page=$(call "$1" getEvents '{"fromSeq":'"$from"',"limit":1,"waitMs":30000,"events":["'"$3"'"]}')
    case $page in *'"event":'*) printf '%s\n' "$page"; return ;; esac
    from=$(printf '%s' "$page" | first nextSeq)
  done
  echo "no $3 came" >&2
  exit 1
}

# Before anything else: where the event logs stand, so that nothing is missed.
alice_seq=$(call "$alice" getInfo | first nextSeq)
bob_info=$(call "$bob" getInfo)
bob_seq=$(printf '%s' "$bob_info" | first nextSeq)

alice_key=$(call "$alice" createKey '{"scheme":"lotus","label":"alice"}' | first publicKey)
bob_key=$(call "$bob" createKey '{"scheme":"lotus","label":"bob"}' | first publicKey)

# Daemons find each other by bootstrap nodes or mDNS; on one machine it is quicker to tell them.
address=$(printf '%s' "$bob_info" | sed 's/.*"multiaddrs":\["\([^"]*\)".*/\1/')
call "$alice" connectPeer '{"multiaddr":"'"$address"'"}' >/dev/null

# Phase 0: Bob advertises.
call "$bob" advertiseSigner '{"publicKey":"'"$bob_key"'","criteria":{"transactionTypes":["spend"]},
  "metadata":{"nickname":"bob","fees":0}}' >/dev/null
echo "bob advertises $bob_key"

# Phase 1: Alice looks for him.
call "$alice" subscribeToSignerDiscovery '{"transactionTypes":["spend"]}' >/dev/null
tries=0
until call "$alice" findAvailableSigners '{"transactionType":"spend","scheme":"lotus","refresh":true}' | grep -q "$bob_key"; do
  tries=$((tries + 1))
  [ $tries -lt 60 ] || { echo "alice does not find bob" >&2; exit 1; }
  sleep 1
done
echo "alice has found bob"

# Phase 2: the aggregate key, a transaction that spends from it, the request; Bob looks at it and joins.
keys='["'"$alice_key"'","'"$bob_key"'"]'
tweaks='[{"taprootMerkleRoot":null}]'
aggregate=$(call "$alice" aggregateKeys '{"publicKeys":'"$keys"',"scheme":"lotus","tweaks":'"$tweaks"'}')
echo "together they are $(printf '%s' "$aggregate" | first address)"

# One input of 5 XPI paid to that address, one output back to it, 1 000 satoshis of fee; numbers are little-endian.
script=$(printf '%s' "$aggregate" | first scriptPubKey) # 36 bytes: 0x24
input=$(printf 'stands for the funding transaction' | sha256sum | cut -d' ' -f1)00000000
spent=404b4c000000000024$script
output=58474c000000000024$script
transaction=0200000001${input}00ffffffff01${output}00000000

# Its hash for input 0: SIGHASH_LOTUS of type 0x61. docs/worked-transactions.md goes through it value by value.
message=$(sha256d "61000000$(sha256d "00${input}ffffffff$spent")00000000$(sha256d "$spent")404b4c000000000058474c0000000000\
02000000$(sha256d "${input}ffffffff")01$(sha256d "$output")0100000000")
request=$(call "$alice" announceSigningRequest '{"requiredPublicKeys":'"$keys"',"message":"'"$message"'","inputIndex":0,
  "publicKey":"'"$alice_key"'","tweaks":'"$tweaks"',"idempotencyKey":"'"$message"'",
  "metadata":{"amount":5000000,"transactionType":"spend","transactionHex":"'"$transaction"'",
  "spentOutputs":[{"value":5000000,"script":"'"$script"'"}]}}' | first requestId)
echo "alice asks: request $request"
received=$(event "$bob" "$bob_seq" signing-request:received)
case $received in
  *'"checked":true'*) call "$bob" joinSigningRequest \
    '{"requestId":"'"$request"'","publicKey":"'"$bob_key"'","requireChecked":true}' >/dev/null ;;
  *) call "$bob" declineSigningRequest '{"requestId":"'"$request"'","publicKey":"'"$bob_key"'"}'; exit 1 ;;
esac
echo "bob has looked at it: the message is the hash of the transaction shown; he joins"

# Phase 3: the daemons do both rounds by themselves.
event "$alice" "$alice_seq" signature:finalized >/dev/null
final=$(call "$alice" getFinalSignature '{"requestId":"'"$request"'","waitMs":60000}')
signature=$(printf '%s' "$final" | first signature)
key=$(printf '%s' "$final" | first aggregatedPublicKey)
call "$bob" verifySignature '{"publicKey":"'"$key"'","message":"'"$message"'","signature":"'"$signature"'","scheme":"lotus"}' |
  grep -q '"valid":true' || { echo "the signature does not hold" >&2; exit 1; }
echo "signature $signature"
