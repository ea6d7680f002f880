#!/usr/bin/env bash
# Notifications reach a webhook (a real NGINX that logs what it is sent), in each format, for the events
# that are asked for; one that nobody answers holds nothing up and says no secret.
. "$(dirname "$0")/lib.sh"

RECEIVED=

start_receiver() {
	local port sink folder=$WORK/receiver
	mkdir -p "$folder"
	port=$(free_port)
	sink=$(free_port)
	RECEIVER=http://127.0.0.1:$port
	RECEIVED=$folder/received
	: >"$RECEIVED"
	cat >"$folder/nginx.conf" <<-END
		pid $folder/nginx.pid;
		error_log $folder/error.log;
		daemon off;
		events {}
		http {
			client_body_temp_path $folder/body;
			proxy_temp_path $folder/proxy;
			fastcgi_temp_path $folder/fastcgi;
			uwsgi_temp_path $folder/uwsgi;
			scgi_temp_path $folder/scgi;
			log_format body escape=none '\$uri \$content_type \$request_body';
			server { listen 127.0.0.1:$sink; access_log off; return 204; }
			server {
				listen 127.0.0.1:$port;
				access_log $RECEIVED body;
				location / { proxy_pass http://127.0.0.1:$sink; }
			}
		}
	END
	spawn receiver nginx -p "$folder/" -c "$folder/nginx.conf"
	wait_until 10 "the receiver answers" curl -fsS -o /dev/null "$RECEIVER/"
	: >"$RECEIVED"
}

received() { # PATH
	sed -n "s|^$1 [^ ]* ||p" "$RECEIVED"
}

every_format() {
	CFG_STAGES='[50]' CFG_OBSERVE=1s CFG_CHECKS='' CFG_SHARE='' \
		CFG_EXTRA="notify: [ { webhook: '$RECEIVER/slack', format: slack, on: [succeeded] }, { webhook: '$RECEIVER/json' }, { webhook: '$RECEIVER/ce', format: cloudevents, on: [succeeded, rolled_back] } ]" \
		write_config
	ctl deploy --version v0.2.0 --yes
	assert_status 0
	received /slack | jq -e '.text | test("fragrance-ai v0.2.0: succeeded .canary at 50 %, proven.")' >/dev/null ||
		fail "slack got: $(received /slack)"
	[ "$(received /json | jq -r .event | tr '\n' ' ')" = 'started succeeded ' ] ||
		fail "json got: $(received /json)"
	received /ce | jq -e '.specversion == "1.0" and .type == "io.canaryctl.rollout.succeeded" and .data.canary_weight == 50' >/dev/null ||
		fail "cloudevents got: $(received /ce)"
	grep -q '^/ce application/cloudevents+json ' "$RECEIVED" || fail "not sent as a CloudEvent"
}

nobody_answers() {
	CFG_STAGES='[50]' CFG_OBSERVE=1s CFG_CHECKS='' CFG_SHARE='' \
		CFG_EXTRA="notify: [ { webhook: 'http://127.0.0.1:9/s3cret', on: [succeeded] } ]" write_config
	ctl deploy --version v0.2.0 --yes
	assert_status 0
	assert_error "nobody was told of 'succeeded' at http://127.0.0.1:9"
	! grep -q s3cret "$OUT" "$ERR" || fail "the webhook's path was shown"
}

scenario_begin notify
start_refapp production v0.1.0
start_canary
start_site 2
start_receiver
run_case every_format 'slack, json and cloudevents'
run_case nobody_answers 'a webhook that does not answer'
scenario_end
