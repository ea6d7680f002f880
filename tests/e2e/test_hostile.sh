#!/usr/bin/env bash
# Nobody gets in: hostile text from Prometheus and the canary, secrets, links in the state folder,
# descriptors of the caller. NGINX plays the hostile Prometheus.
. "$(dirname "$0")/lib.sh"

SECRET=hunter2-never-shown

# Bytes that no output may hold: controls but tab and line end, DEL, C1, and what turns the direction.
assert_harmless() { # FILE...
	local file
	for file; do
		[ -s "$file" ] || fail "$(basename "$file") is empty"
		if LC_ALL=C grep -qaP '[\x00-\x08\x0b-\x1f\x7f]|\xc2[\x80-\x9f]|\xe2\x80[\xaa-\xae]' "$file"; then
			fail "$(basename "$file") holds: $(LC_ALL=C grep -aP '[\x00-\x08\x0b-\x1f\x7f]|\xc2[\x80-\x9f]|\xe2\x80[\xaa-\xae]' "$file" | head -n 2 | cat -v)"
		fi
	done
}

assert_without_secret() { # FILE...
	if grep -aq -- "$SECRET" "$@"; then
		fail "the secret is in: $(grep -al -- "$SECRET" "$@")"
	fi
}

# A second NGINX: Prometheus' API with labels and warnings that steer a terminal, and a health page.
start_hostile_servers() {
	local folder=$WORK/hostile bad='x\\u001b[2J\\u009b31m\\u202e\\u0007y'
	HOSTILE_PORT=$(free_port)
	mkdir -p "$folder/logs" "$folder/tmp"
	cat >"$folder/nginx.conf" <<-END
		pid $folder/nginx.pid;
		error_log $folder/logs/error.log;
		events {}
		http {
		$(NGINX_PREFIX=$folder nginx_temp_paths)
		    access_log off;
		    default_type application/json;
		    server {
		        listen 127.0.0.1:$HOSTILE_PORT;
		        location /health { return 200 '{"status":"healthy","version":"v0.2.0"}'; }
		        location /sick { return 200 '{"status":"$bad","version":"$bad"}'; }
		        location /api/ {
		            if (\$arg_query ~ ^time) { return 200 '{"status":"success","data":{"resultType":"scalar","result":[1795194193,"1795194193"]}}'; }
		            return 200 '{"status":"success","infos":["$bad"],"data":{"resultType":"vector","result":[{"metric":{"instance":"$bad","job":"a"},"value":[1795194193,"7"]},{"metric":{"instance":"b","job":"$bad"},"value":[1795194193,"1"]}]}}';
		        }
		    }
		}
	END
	spawn hostile nginx -p "$folder/" -c "$folder/nginx.conf" -g 'daemon off;'
	wait_until 10 "the hostile servers listen" port_open "$HOSTILE_PORT"
}

hostile_config() { # [PATH_OF_THE_HEALTH_PAGE]
	CFG_PROMETHEUS=http://127.0.0.1:$HOSTILE_PORT CFG_SHARE='' CFG_STAGES='[50, 100]' \
		CFG_CHECKS="checks:
  - { name: queue, prometheus: { query: 'max by (instance) (queue)' }, require: '< 3' }" \
		write_config
	sed -i "s|health: \"http://127.0.0.1:$CANARY_PORT/health\"|health: \"http://127.0.0.1:$HOSTILE_PORT/${1:-health}\"|" \
		"$CONFIG"
}

labels_never_reach_a_terminal_raw() {
	hostile_config
	ctl --log-level debug deploy --version v0.2.0 --yes --output "$REPORT" --junit "$WORK/junit.xml"
	assert_status 2
	assert_output '\\x1b\[2J'
	assert_harmless "$OUT" "$ERR" "$REPORT" "$WORK/junit.xml"
	ctl status
	assert_harmless "$OUT"
	ctl --format json status
	assert_harmless "$OUT"
	ctl --format json deploy --version v0.2.0 --yes
	assert_status 2
	assert_harmless "$OUT"
}

a_health_page_never_reaches_a_terminal_raw() {
	hostile_config sick
	ctl --log-level debug deploy --version v0.2.0 --yes
	assert_status 2
	cat "$OUT" "$ERR" >"$WORK/both"
	assert_harmless "$WORK/both"
}

words_never_reach_a_terminal_raw() {
	local word=$'a\e[2J\xc2\x9b31m\xe2\x80\xaeb'
	write_config
	ctl "$word"
	assert_harmless "$ERR"
	ctl deploy --version "$word"
	assert_status 64
	assert_harmless "$ERR"
	ctl rollback --reason "$word"
	assert_status 0
	cat "$OUT" "$ERR" >"$WORK/both"
	assert_harmless "$WORK/both"
	"$CANARYCTL" --config "$WORK/$word.yaml" status 2>"$ERR" && fail "a configuration from nowhere"
	assert_harmless "$ERR"
}

secrets_are_nowhere() {
	CFG_EXTRA="notify: [ { webhook: \"http://127.0.0.1:$HOSTILE_PORT/$SECRET\", format: json } ]" \
		hostile_config
	sed -i "s|^  timeout: 1s|  timeout: 1s\n  basic_auth: { username: me, password: \"\${env:E2E_PASSWORD}\" }\n  headers: { X-Api-Token: $SECRET }|" \
		"$CONFIG"
	export E2E_PASSWORD=$SECRET
	ctl config show
	assert_status 0
	assert_without_secret "$OUT"
	ctl --log-level debug deploy --version v0.2.0 --yes --output "$REPORT"
	assert_status 2
	assert_without_secret "$OUT" "$ERR" "$REPORT" "$STATE_DIR"/*/*
	# What is wrong in the line of a secret is said without it.
	sed -i "s|username: me|usrname: me|" "$CONFIG"
	ctl config validate
	assert_status 78
	assert_without_secret "$OUT" "$ERR"
	unset E2E_PASSWORD
}

# A hook sees what canaryctl opened for it, and nothing of what the caller had open. So does whoever
# looks at the folder: it is for its owner alone.
hooks_get_no_descriptors() {
	local folder=$STATE_DIR/fragrance-ai
	printf '#!/bin/sh\nls /proc/self/fd >"%s/fds"\nstat -c "%%a %%n" "%s" "%s"/* >"%s/modes"\n' \
		"$WORK" "$folder" "$folder" "$WORK" >"$WORK/hook"
	chmod +x "$WORK/hook"
	CFG_EXTRA="hooks: { before_rollout: [\"$WORK/hook\"] }" hostile_config
	exec 7<"$WORK/hook" 8<"$WORK/hook"
	ctl deploy --version v0.2.0 --yes
	exec 7<&- 8<&-
	# 3 is the folder that ls reads.
	assert_equal "$(tr '\n' ' ' <"$WORK/fds")" '0 1 2 3 ' 'what the hook has open'
	assert_equal "$(head -n 1 "$WORK/modes")" "700 $folder" 'the mode of the state folder'
	grep -q '^600 .*/control$' "$WORK/modes" || fail "the socket: $(cat "$WORK/modes")"
	if grep -v '^700 ' "$WORK/modes" | grep -qv '^600 '; then
		fail "others may look into: $(grep -v '^[67]00 ' "$WORK/modes")"
	fi
}

# Links that somebody put where canaryctl writes: what they name stays as it is.
links_are_not_followed() {
	local folder=$WORK/linked/fragrance-ai victim=$WORK/victim name
	echo treasure >"$victim"
	for name in lock journal.db guardian.log control; do
		rm -rf "$WORK/linked"
		mkdir -p "$folder"
		chmod 700 "$folder"
		ln -s "$victim" "$folder/$name"
		CFG_STATE_DIR=$WORK/linked hostile_config
		ctl deploy --version v0.2.0 --yes
		assert_equal "$(cat "$victim")" treasure "the file that $name names"
		ctl rollback
		assert_status 0
		assert_equal "$(cat "$victim")" treasure "the file that $name names"
	done
	mkdir -p "$WORK/run"
	rm -f "$BRAKE"
	ln -s "$victim" "$BRAKE"
	CFG_STATE_DIR=$STATE_DIR hostile_config
	ctl rollback
	assert_equal "$(cat "$victim")" treasure 'the file that the brake names'
	rm -f "$BRAKE"
	all_on_production
}

a_state_folder_of_others_is_refused() {
	mkdir -p "$WORK/open/fragrance-ai"
	chmod 777 "$WORK/open/fragrance-ai"
	CFG_STATE_DIR=$WORK/open hostile_config
	ctl deploy --version v0.2.0 --yes
	assert_status 69
	assert_error 'writable by others'
	assert_equal "$(ls -A "$WORK/open/fragrance-ai")" '' 'what is in the folder'
	ctl deploy --version v0.2.0 --dry-run
	assert_status 2
	# The emergency goes on without it.
	ctl rollback
	assert_status 0
	assert_error 'without the lock'
}

scenario_begin hostile
start_refapp production v0.1.0
start_canary
start_site
start_hostile_servers
run_case labels_never_reach_a_terminal_raw 'labels of Prometheus never reach a terminal, a report or a log raw'
run_case a_health_page_never_reaches_a_terminal_raw 'nor does what the canary says of itself'
run_case words_never_reach_a_terminal_raw 'nor words of the command line'
run_case secrets_are_nowhere 'secrets are in no output, log, report or journal'
run_case hooks_get_no_descriptors 'hooks inherit no descriptor; state is for its owner alone'
run_case links_are_not_followed 'links in the state folder and at the brake are not followed'
run_case a_state_folder_of_others_is_refused 'a state folder that others may write to is refused'
scenario_end
