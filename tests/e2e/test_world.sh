#!/usr/bin/env bash
# Faults of the world around a rollout: a Prometheus that is slow, broken, huge, redirected or behind TLS
# that is wrong; NGINX that dies. A real Prometheus is stopped with SIGSTOP; what it cannot be made to
# answer, a second NGINX in front of it answers.
. "$(dirname "$0")/lib.sh"

start_front() {
	local folder=$WORK/front port
	mkdir -p "$folder/files"
	port=$(free_port)
	FRONT=http://127.0.0.1:$port
	FRONT_TLS_PORT=$(free_port)
	FRONT_OLD_PORT=$(free_port)
	truncate -s 100M "$folder/files/huge"
	echo '{"status":"success","data":{"resultType":"scalar","result":[1,"1"]}}' >"$folder/files/slow"
	make_certificates "$folder"
	cat >"$folder/nginx.conf" <<-END
		pid $folder/nginx.pid;
		error_log $folder/error.log;
		daemon off;
		events {}
		http {
			access_log off;
			client_body_temp_path $folder/body;
			proxy_temp_path $folder/proxy;
			fastcgi_temp_path $folder/fastcgi;
			uwsgi_temp_path $folder/uwsgi;
			scgi_temp_path $folder/scgi;
			server {
				listen 127.0.0.1:$port;
				location /error/ { return 500; }
				location /garbage/ { default_type application/json; return 200 '{"status":"success","data":'; }
				location /login/ { default_type text/html; return 200 '<html>please log in</html>'; }
				location /redirect/ { return 302 /redirect/; }
				location /huge/ { default_type application/json; alias $folder/files/huge; }
				location /slow/ { default_type application/json; alias $folder/files/slow; limit_rate 1; }
				location /forbidden/ { return 403; }
				location /prefix/ { proxy_pass $PROMETHEUS/; }
			}
			server {
				listen 127.0.0.1:$FRONT_TLS_PORT ssl;
				ssl_certificate $folder/server.crt;
				ssl_certificate_key $folder/server.key;
				ssl_client_certificate $folder/ca.crt;
				ssl_verify_client on;
				location / { proxy_pass $PROMETHEUS; }
			}
			server {
				listen 127.0.0.1:$FRONT_OLD_PORT ssl;
				ssl_certificate $folder/expired.crt;
				ssl_certificate_key $folder/server.key;
				location / { proxy_pass $PROMETHEUS; }
			}
		}
	END
	# alias of a file: any path below answers with it.
	sed -i "s|location /huge/ .*|location /huge/ { default_type application/json; root $folder/files; try_files /huge =404; }|;
		s|location /slow/ .*|location /slow/ { default_type application/json; limit_rate 1; root $folder/files; try_files /slow =404; }|" "$folder/nginx.conf"
	spawn front nginx -p "$folder/" -c "$folder/nginx.conf"
	wait_until 10 "the front answers" curl -fsS -o /dev/null "$FRONT/prefix/-/ready"
}

make_certificates() { # FOLDER
	(
		cd "$1"
		openssl req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.crt -days 2 -subj /CN=test-ca
		openssl req -newkey rsa:2048 -nodes -keyout server.key -out server.csr -subj /CN=prometheus.test
		printf 'subjectAltName=DNS:prometheus.test' >names
		openssl x509 -req -in server.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 2 -extfile names -out server.crt
		openssl x509 -req -in server.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days -1 -extfile names -out expired.crt
		openssl req -newkey rsa:2048 -nodes -keyout client.key -out client.csr -subj /CN=canaryctl
		openssl x509 -req -in client.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 2 -out client.crt
	) >/dev/null 2>&1
}

refused() { # STATUS MESSAGE; with $CFG_PROMETHEUS
	local before
	CFG_STAGES='[50]' write_config
	before=$(sha256sum "$UPSTREAM_CONF")
	ctl deploy --version v0.2.0 --yes
	assert_status "$1"
	assert_error "$2"
	assert_equal "$(sha256sum "$UPSTREAM_CONF")" "$before" "the upstream file"
}

broken_answers() {
	CFG_PROMETHEUS=$FRONT/error refused 69 '500'
	CFG_PROMETHEUS=$FRONT/garbage refused 69 'JSON|malformed|parse'
	CFG_PROMETHEUS=$FRONT/huge refused 69 'larger than'
	CFG_PROMETHEUS=$FRONT/slow refused 69 'time|slow|within'
	CFG_PROMETHEUS=http://no-such-host.invalid:9090 refused 69 'resolve|no-such-host'
}

wrong_address() {
	CFG_PROMETHEUS=$FRONT/login refused 78 'html|JSON'
	CFG_PROMETHEUS=$FRONT/redirect refused 78 'redirect|302'
	CFG_PROMETHEUS=$FRONT/forbidden refused 78 '403|credentials'
}

path_prefix() {
	start_load
	CFG_PROMETHEUS=$FRONT/prefix CFG_STAGES='[50]' write_config
	ctl deploy --version v0.2.0 --yes
	stop_load
	assert_status 0
}

# Flow style, in the place of the URL: the template of write_config has one line for it.
tls() { # PORT EXTRA
	printf 'https://127.0.0.1:%s\n  tls_config: { ca_file: %s/front/ca.crt, cert_file: %s/front/client.crt, key_file: %s/front/client.key%s }' \
		"$1" "$WORK" "$WORK" "$WORK" "${2:-}"
}

tls_with_client_certificate() {
	start_load
	CFG_PROMETHEUS=$(tls "$FRONT_TLS_PORT" ', server_name: prometheus.test') CFG_STAGES='[50]' write_config
	ctl deploy --version v0.2.0 --yes
	stop_load
	assert_status 0
}

tls_that_is_wrong() {
	CFG_PROMETHEUS=$(tls "$FRONT_TLS_PORT" ', server_name: other.test') refused 69 'other.test|name'
	CFG_PROMETHEUS=$(tls "$FRONT_OLD_PORT" ', server_name: prometheus.test') refused 69 'expired'
	CFG_PROMETHEUS=https://127.0.0.1:$FRONT_TLS_PORT refused 69 'certificate'
}

observing() {
	"$CANARYCTL" --config "$CONFIG" status --format json | jq -e '.phase == "observing"'
}

prometheus_says_nothing() {
	start_load
	CFG_STAGES='[50]' CFG_OBSERVE=30s write_config
	ctl_start deploy --version v0.2.0 --yes --output "$REPORT"
	wait_until 15 "the stage is observed" observing
	kill -STOP "$(pid_of prometheus)"
	ctl_wait 30
	kill -CONT "$(pid_of prometheus)"
	stop_load
	assert_status 2
	assert_json "$REPORT" '.reason.message | test("Prometheus has not answered for")'
	assert_json "$REPORT" '.traffic.canary_weight == 0 and .traffic.proven'
	assert_json "$WORK/load.json" '.failed == 0'
}

observe_half() {
	CFG_STAGES='[50]' CFG_OBSERVE=30s CFG_CHECKS='' CFG_SHARE='' write_config
	ctl_start deploy --version v0.2.0 --yes --output "$REPORT"
	wait_until 15 "the stage is observed" observing
}

nginx_stops() {
	observe_half
	stop nginx
	kill -TERM "$(pid_of deploy)"
	ctl_wait 40
	assert_status 3
	assert_equal "$(tail -n 1 "$ERR" | grep -c 'canaryctl rollback')" 1 "lines that say what to run"
	start_nginx
	ctl rollback
	assert_status 0
	all_on_production
}

# Its workers go on without it: nobody can reload them, but they heed the brake.
nginx_master_is_killed() {
	local workers
	observe_half
	workers=$(pgrep -P "$(pid_of nginx)")
	stop nginx KILL
	echo 4194303 >"$NGINX_PREFIX/nginx.pid" # ours is a zombie, which takes signals; init's would be gone
	kill -TERM "$(pid_of deploy)"
	ctl_wait 40
	assert_status 143
	assert_json "$REPORT" '.traffic.braked and .traffic.canary_weight == 0'
	assert_output "nginx's master process is gone"
	all_on_production
	# shellcheck disable=SC2086
	kill -KILL $workers
	start_nginx
	ctl rollback
	assert_status 0
}

scenario_begin world
start_scene 2
start_front
run_case broken_answers 'broken answers before the start: 69'
run_case wrong_address 'a wrong address: 78'
run_case path_prefix 'Prometheus under a path prefix'
run_case tls_with_client_certificate 'Prometheus behind TLS with a client certificate'
run_case tls_that_is_wrong 'TLS with the wrong name, an expired certificate, an unknown CA: 69'
run_case prometheus_says_nothing 'Prometheus accepts and says nothing during a stage'
run_case nginx_stops 'NGINX stops during a stage'
run_case nginx_master_is_killed "NGINX's master is killed during a stage"
scenario_end
