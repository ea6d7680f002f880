#!/usr/bin/env bash
# The doctor on real servers: a healthy host is all GO, and each trap of the specification is built and
# found by the examination that is for it, with a remedy.
. "$(dirname "$0")/lib.sh"

doctor() { # ARGUMENT...
	ctl doctor --output "$REPORT" "$@"
}

# What that check says: STATUS, with a hint unless it is GO.
says() { # NAME STATUS [EXTENDED_REGEX]
	local check
	check=$(jq -c --arg name "$1" '.checks[] | select(.name == $name)' "$REPORT")
	[ -n "$check" ] || fail "there is no check '$1'"
	assert_equal "$(jq -r .status <<<"$check")" "$2" "status of $1 ($(jq -r .message <<<"$check"))"
	assert_match "$(jq -r .message <<<"$check")" "${3:-.}" "message of $1"
	[ "$2" = GO ] || [ -n "$(jq -r '.hint // ""' <<<"$check")" ] || fail "$1 has no hint"
}

finds() { # NAME STATUS [EXTENDED_REGEX]
	doctor
	says "$@"
}

# The names of all checks that are not GO.
not_go() {
	jq -r '.checks[] | select(.status != "GO") | .name' "$REPORT" | sort | tr '\n' ' '
}

conf_like_shipped() { # SED_SCRIPT...
	nginx_conf_shipped 2 | sed "$@" >"$NGINX_CONF"
}

enough_data() {
	ctl doctor --output "$REPORT"
	[ "$STATUS" -eq 0 ]
}

# --- a healthy host --------------------------------------------------------------------------------

healthy() {
	local before
	# Files of its own that change while nobody touches them are not what is compared.
	before=$(fingerprint "$NGINX_PREFIX" "$WORK/run")
	wait_until 60 "every check has data, and all is GO" enough_data || fail "not GO: $(not_go) $(cat "$OUT")"
	assert_json "$REPORT" '.suite == "doctor" and .verdict == "GO" and (.checks | length) > 40'
	assert_output 'GO .*all are good'
	assert_unchanged "$before" "$(fingerprint "$NGINX_PREFIX" "$WORK/run")" "the host"
}

scenario_begin doctor
start_scene
write_config
spawn load "$BUILD_DIR/tests/loadgen" --url "http://127.0.0.1:$CANARY_PORT/api/generate" --rate 200 \
	--duration 600 --mode-mix 40,30,30 --out "$WORK/load.json"
run_case healthy 'a healthy host is all GO, and is left as it was'
scenario_end
