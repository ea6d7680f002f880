#!/usr/bin/env bash
# Bad input: every wrong flag, version, stage list, number, duration and configuration gets its exit
# code and a message that names it, and changes nothing. One table; needs NGINX only to be unchanged.
. "$(dirname "$0")/lib.sh"

# EXIT CODE | EXTENDED REGEX ON STDERR | ARGUMENTS (split at blanks; ~ stands for a blank)
# shellcheck disable=SC2016 # a shell must not expand these, and neither must canaryctl
USAGE='
64 | command                       |
64 | .nonsense.                    | nonsense
64 | .--nonsense.                  | deploy --nonsense
64 | .--nonsense.                  | --nonsense deploy --version v0.2.0
64 | --version                     | deploy
64 | --version                     | deploy --yes
64 | --version                     | deploy --version
64 | .latest.                      | deploy --version latest
64 | .1\.2.                        | deploy --version 1.2
64 | .v1\.2\.3\.4.                 | deploy --version v1.2.3.4
64 | .01\.2\.3.                    | deploy --version 01.2.3
64 | version                       | deploy --version 1.2.3;reboot
64 | version                       | deploy --version $(reboot)
64 | version                       | deploy --version ../../etc/passwd
64 | version                       | deploy --version v0.2.0"}
64 | version                       | deploy --version v0.2.0~x
64 | .x.                           | deploy --version v0.2.0 --stages 1,5,x
64 | stage                         | deploy --version v0.2.0 --stages 5,1
64 | stage                         | deploy --version v0.2.0 --stages 5,5
64 | stage                         | deploy --version v0.2.0 --stages 0,50
64 | stage                         | deploy --version v0.2.0 --stages 50,101
64 | stage                         | deploy --version v0.2.0 --stages 1,,5
64 | stage                         | deploy --version v0.2.0 --stages ,
64 | stage                         | deploy --version v0.2.0 --stages -5
64 | stage                         | deploy --version v0.2.0 --stages 1e2
64 | stage                         | deploy --version v0.2.0 --stages nan
64 | stage                         | deploy --version v0.2.0 --start-stage 7
64 | stage                         | deploy --version v0.2.0 --start-stage x
64 | .10x.                         | deploy --version v0.2.0 --observation-period 10x
64 | .-5.                          | deploy --version v0.2.0 --observation-period -5
64 | observation-period            | deploy --version v0.2.0 --observation-period 0
64 | .5m3h.                        | deploy --version v0.2.0 --observation-period 5m3h
64 | .999999999999h.               | deploy --version v0.2.0 --observation-period 999999999999h
64 | .xml.                         | --format xml status
64 | .sometimes.                   | --color sometimes status
64 | .loud.                        | --log-level loud status
64 | weights                       | weights
64 | .put.                         | weights put 5
64 | weights set                   | weights set
64 | .-1.                          | weights set -1
64 | .101.                         | weights set 101
64 | .five.                        | weights set five
64 | .5;reboot.                    | weights set 5;reboot
64 | .0\.001.                      | weights set 0.001
64 | .extra.                       | weights set 5 extra
64 | .extra.                       | weights get extra
64 | .extra.                       | status extra
64 | .extra.                       | rollback extra
64 | --reason                      | rollback --reason
64 | config                        | config
64 | .explain.                     | config explain
'

everything() {
	fingerprint "$NGINX_PREFIX" "$WORK/run"
	[ ! -e "$STATE_DIR" ] || fingerprint "$STATE_DIR"
}

usage_table() {
	local code pattern line failed=0 before
	local -a arguments
	write_config
	before=$(everything)
	while IFS='|' read -r code pattern line; do
		[ -n "${code// /}" ] || continue
		pattern=${pattern%"${pattern##*[! ]}"}
		read -r -a arguments <<<"$line"
		ctl "${arguments[@]//\~/ }"
		if ! (assert_status "${code// /}" && assert_error "${pattern# }" && one_message); then
			echo "        canaryctl${line}" >&2
			failed=$((failed + 1))
		fi
	done <<<"$USAGE"
	assert_unchanged "$before" "$(everything)" "a file"
	[ "$failed" -eq 0 ] || fail "$failed command lines"
}

# A message begins with the tool's name and is not a crash.
one_message() {
	! grep -Eq '[Aa]ssert|Sanitizer|Segmentation|BUG' "$ERR" || fail "looks like a crash"
	grep -q '^canaryctl: ' "$ERR" || fail "no 'canaryctl: ' at the start of a line: $(head -n 2 "$ERR")"
}

# EXIT CODE 78 for all: REGEX | SED EXPRESSION ON A GOOD CONFIGURATION
# shellcheck disable=SC2016 # the configuration's own ${env:…}
CONFIGURATION='
unknown.*servise.*|s/^service:/servise:/
did you mean .service.|s/^service:/servise:/
Fragrance AI|s/^service: .*/service: Fragrance AI/
canaryctl.yaml:[0-9]+:[0-9]+|s/observe: 3s/observe: soon/
soon|s/observe: 3s/observe: soon/
interval|s/interval: 250ms$/interval: -1s/
stages|s/stages: .*/stages: [50, 5]/
stages|s/stages: .*/stages: []/
stages|s/stages: .*/stages: [0, 100]/
stages|s/stages: .*/stages: [fifty]/
stages|s/stages: .*/stages: [5, 5]/
duplicate|s/^service: .*/service: a\nservice: b/
maybe|s/on_inconclusive: .*/on_inconclusive: maybe/
consecutive_failures|s/consecutive_failures: .*/consecutive_failures: 0/
consecutive_failures|s/consecutive_failures: .*/consecutive_failures: many/
NOT_SET_ANYWHERE|s/^service: .*/service: ${env:NOT_SET_ANYWHERE}/
require|s/require: .*/require: "about 5"/
require|s/require: .*/require: "< 5 bananas"/
require|s/require: .*/require: ""/
prometheus|/^prometheus:/,/^traffic:/{/^traffic:/!d}
canary|/^canary:/d
production|/^production:/d
url|s|^  url: .*|  url: "not a url"|
url|s|^  url: .*|  url: "file:///etc/passwd"|
reload|s/^    reload: .*/    reload: "nginx -s reload"/
test|s/^    test: .*/    test: nginx/
proof|s/proof: .*/proof: { listen: "nowhere" }/
proof|s/proof: .*/proof: { listen: "127.0.0.1:99999" }/
observe|s/settle: 1s/settle: 5s/
canaryctl.yaml:2:|1i\\\t- broken
canaryctl.yaml:[0-9]+|$a\\{ "unclosed
server|s/server: "127.0.0.1:[0-9]*"/server: "evil; } http {"/
'

configuration_table() {
	local pattern expression failed=0 before
	write_config
	cp "$CONFIG" "$WORK/good.yaml"
	before=$(everything)
	while IFS='|' read -r pattern expression; do
		[ -n "$pattern" ] || continue
		sed -e "$expression" "$WORK/good.yaml" >"$CONFIG"
		if cmp -s "$CONFIG" "$WORK/good.yaml"; then
			echo "        the expression changes nothing: $expression" >&2
			failed=$((failed + 1))
			continue
		fi
		ctl config validate
		if ! (assert_status 78 && assert_error "$pattern" && assert_error 'canaryctl\.yaml:[0-9]+'); then
			echo "        config validate after $expression" >&2
			failed=$((failed + 1))
		fi
		ctl deploy --version v0.2.0 --yes
		(assert_status 78) || failed=$((failed + 1))
	done <<<"$CONFIGURATION"
	assert_unchanged "$before" "$(everything)" "a file"
	[ "$failed" -eq 0 ] || fail "$failed times"
}

all_errors_in_one_run() {
	write_config
	sed -i -e 's/^service:/servise:/; s/observe: 3s/observe: soon/; s/consecutive_failures: 3/consecutive_failures: many/' "$CONFIG"
	ctl config validate
	assert_status 78
	assert_error servise
	assert_error soon
	assert_error many
	grep -q '\^' "$ERR" || fail "no caret"
}

missing_configuration() {
	CONFIG=$WORK/nowhere.yaml
	ctl deploy --version v0.2.0 --yes
	assert_status 78
	assert_error "nowhere\\.yaml"
}

good_configuration() {
	write_config
	ctl config validate
	assert_status 0
	ctl config show
	assert_status 0
	assert_output 'fragrance-ai'
}

secrets_are_masked() {
	CFG_PROMETHEUS="$PROMETHEUS
  basic_auth: { username: me, password: hunter2hunter2 }" write_config
	ctl config show
	assert_status 0
	! grep -q hunter2 "$OUT" "$ERR" || fail "the password is shown"
}

shipped_configuration() {
	CONFIG=$REPO/configs/canaryctl.yaml ctl config validate
	assert_status 0
}

help_and_version() {
	local command
	ctl --version
	assert_status 0
	assert_output '^canaryctl [0-9]+\.[0-9]+\.[0-9]+'
	ctl --help
	assert_status 0
	for command in deploy rollback weights status config; do
		assert_output "^ *$command"
		ctl "$command" --help
		assert_status 0
		assert_output 'canaryctl '"$command"
		assert_output '[Ee]xample'
		ctl --help
	done
}

scenario_begin bad-input
start_refapp production v0.1.0
start_canary
start_site 1
run_case help_and_version 'help and version'
run_case usage_table 'wrong usage: exit 64, the message names it'
run_case configuration_table 'wrong configuration: exit 78, file:line:column'
run_case all_errors_in_one_run 'all errors of a file in one run'
run_case missing_configuration 'a configuration that does not exist'
run_case good_configuration 'a good configuration'
run_case secrets_are_masked 'secrets are masked'
run_case shipped_configuration 'the shipped configuration'
scenario_end
