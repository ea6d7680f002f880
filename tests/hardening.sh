#!/usr/bin/env bash
# What the linker and the compiler really put into a release: read from the binary, not from flags.
# Usage: tests/hardening.sh BINARY
set -euo pipefail
export LC_ALL=C

binary=${1:?usage: tests/hardening.sh BINARY}
findings=0

expect() { # WHAT REGEX TEXT
	if grep -Eq -- "$2" <<<"$3"; then
		echo "ok      $1"
	else
		echo "MISSING $1" >&2
		findings=$((findings + 1))
	fi
}

refuse() { # WHAT REGEX TEXT
	if grep -Eq -- "$2" <<<"$3"; then
		echo "PRESENT $1: $(grep -E -- "$2" <<<"$3" | head -n 1)" >&2
		findings=$((findings + 1))
	else
		echo "ok      no $1"
	fi
}

header=$(readelf --wide --file-header "$binary")
segments=$(readelf --wide --program-headers "$binary")
dynamic=$(readelf --wide --dynamic "$binary")
symbols=$(readelf --wide --dyn-syms "$binary")

expect 'position-independent executable' 'Type: +DYN' "$header"
expect 'position-independent executable, said so' 'FLAGS_1.*PIE' "$dynamic"
expect 'read-only relocations' 'GNU_RELRO' "$segments"
expect 'all symbols bound at the start' 'FLAGS_1.*NOW' "$dynamic"
expect 'stack that cannot be executed' 'GNU_STACK +[0-9a-fx ]+ RW +0x' "$segments"
refuse 'segment that is writable and executable' 'LOAD +[0-9a-fx ]+ RWE' "$segments"
expect 'stack protector' '__stack_chk_fail' "$symbols"
expect 'fortified functions' '__(memcpy|snprintf|vsnprintf|fprintf|read|strncpy)_chk' "$symbols"
refuse 'unbounded string functions' ' (strcpy|strcat|sprintf|vsprintf|gets|system|popen)@' "$symbols"
refuse 'search path for libraries' '\((RPATH|RUNPATH)\)' "$dynamic"
if [[ $header == *X86-64* ]]; then
	# The note that switches CET on is only there when the C library's start files have it too, which
	# Debian 12's have not. The landing pads are ours.
	pads=$(objdump --disassemble --no-show-raw-insn "$binary" | grep -c endbr64 || :)
	expect "landing pads for indirect branches ($pads)" '^[0-9]{3,}$' "$pads"
fi
[ "$findings" -eq 0 ]
