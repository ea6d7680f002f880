# shellcheck shell=bash
# Real servers on loopback in one temporary folder: NGINX, Prometheus, two reference applications and
# a load generator. The demo, the benchmark and the end-to-end tests all stand on this file.
#
# Calling order: servers_begin; start_* in any order; servers_end runs by itself at exit, also on ^C.
# Every process that is started here leaves its pid in $WORK/pids and its output in $WORK/NAME.log;
# only those pids are ever signalled. Nothing outside $WORK is written but the port reservations.

REPO=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
PORT_LOCKS=${TMPDIR:-/tmp}/canaryctl-ports.$UID
PATH=$PATH:/usr/sbin:/sbin # where Debian keeps nginx, but not in a user's PATH

servers_begin() { # NAME
	WORK=$(mktemp -d "${TMPDIR:-/tmp}/canaryctl-$1.XXXXXX")
	chmod 755 "$WORK" # NGINX's workers run as another user and must see the brake file
	mkdir -p "$WORK/pids" "$WORK/run" "$PORT_LOCKS"
	trap servers_end EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM
}

servers_end() {
	local status=$? file
	trap - EXIT
	trap '' INT TERM
	for file in "$WORK"/pids/*; do
		[ ! -e "$file" ] || stop "${file##*/}"
	done
	stop_guardians
	ports_release
	if [ "$status" -eq 0 ] || [ -z "${KEEP_ON_FAILURE:-}" ]; then
		rm -rf "$WORK"
	else
		echo "kept for a look: $WORK" >&2
	fi
	exit "$status"
}

# The guardian of a rollout that was killed outlives it on purpose; $WORK on its command line says that
# it is one of ours.
stop_guardians() {
	local file line
	for file in /proc/[0-9]*/cmdline; do
		line=$(tr '\0' ' ' 2>/dev/null <"$file") || continue
		if [[ $line == *canaryctl*"$WORK/"*guardian* ]]; then
			file=${file%/cmdline}
			kill -KILL "${file#/proc/}" 2>/dev/null || :
		fi
	done
}

# --- ports and waiting -----------------------------------------------------------------------------

# A port below the kernel's own range that nobody listens on, reserved for this process and its
# subshells: several scenarios run at the same time.
free_port() {
	local port lock owner
	while :; do
		port=$((20000 + RANDOM % 12000))
		lock=$PORT_LOCKS/$port
		if ! mkdir "$lock" 2>/dev/null; then
			owner=$(cat "$lock/pid" 2>/dev/null) || continue
			kill -0 "$owner" 2>/dev/null || rm -rf "$lock"
			continue
		fi
		echo $$ >"$lock/pid"
		port_open "$port" || break
	done
	echo "$port"
}

ports_release() {
	local file
	for file in "$PORT_LOCKS"/*/pid; do
		if [ "$(cat "$file" 2>/dev/null)" = $$ ]; then
			rm -rf "${file%/pid}"
		fi
	done
}

port_open() { # PORT
	(exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null
}

port_closed() { # PORT
	! port_open "$1"
}

# Polls until the command succeeds; the deadline is only reached when something is wrong.
wait_until() { # SECONDS DESCRIPTION COMMAND...
	local deadline=$((SECONDS + $1)) what=$2
	shift 2
	until "$@" >/dev/null 2>&1; do
		if [ "$SECONDS" -ge "$deadline" ]; then
			echo "gave up waiting until $what" >&2
			return 1
		fi
		pause_ms 50
	done
}

# A pause between two polls. read waits on a descriptor that never becomes readable: no process.
pause_ms() { # MILLISECONDS
	local seconds
	printf -v seconds '%d.%03d' $(($1 / 1000)) $(($1 % 1000))
	read -r -t "$seconds" <> <(:) || :
}

# --- processes -------------------------------------------------------------------------------------

# In a session of its own: a ^C on the terminal is for the script, which then ends it.
spawn() { # NAME COMMAND...
	local name=$1
	shift
	setsid "$@" >>"$WORK/$name.log" 2>&1 </dev/null &
	echo $! >"$WORK/pids/$name"
	disown # the shell has nothing to say when it is killed
}

pid_of() { # NAME
	cat "$WORK/pids/$1"
}

is_running() { # NAME
	local pid state
	pid=$(pid_of "$1" 2>/dev/null) || return 1
	# A zombie is not running: nobody may have waited for it yet.
	state=$(sed -n 's/^State:[[:space:]]*//p' "/proc/$pid/status" 2>/dev/null) || return 1
	[ -n "$state" ] && [ "${state:0:1}" != Z ]
}

is_gone() { # NAME
	! is_running "$1"
}

# Ends one process that was started here: asked to with SIGNAL, made to after five seconds.
stop() { # NAME [SIGNAL]
	local name=$1 pid
	pid=$(pid_of "$name" 2>/dev/null) || return 0
	if is_running "$name"; then
		kill "-${2:-TERM}" "$pid" 2>/dev/null || :
		wait_until 5 "$name has ended" is_gone "$name" || kill -KILL "$pid" 2>/dev/null || :
	fi
	rm -f "$WORK/pids/$name"
}

# --- NGINX -----------------------------------------------------------------------------------------

# shellcheck disable=SC2034 # read by the scripts that source this file
# Ports and places of the one set of servers, chosen once so that every configuration agrees.
places_choose() {
	NGINX_PREFIX=$WORK/nginx
	NGINX_CONF=$NGINX_PREFIX/nginx.conf
	UPSTREAM_CONF=$NGINX_PREFIX/conf.d/upstream.conf
	BRAKE=$WORK/run/fragrance-ai.off
	HTTP_PORT=$(free_port)
	STATUS_PORT=$(free_port)
	PROOF_PORT=$(free_port)
	PRODUCTION_PORT=$(free_port)
	CANARY_PORT=$(free_port)
	PROMETHEUS_PORT=$(free_port)
	SITE=http://127.0.0.1:$HTTP_PORT
	PROMETHEUS=http://127.0.0.1:$PROMETHEUS_PORT
	mkdir -p "$NGINX_PREFIX/conf.d" "$NGINX_PREFIX/logs" "$NGINX_PREFIX/tmp"
}

# The shipped configuration, with its absolute paths and its ports moved into this folder.
nginx_conf_shipped() { # [WORKER_PROCESSES]
	sed -e "s|/etc/nginx|$NGINX_PREFIX|g; s|/var/log/nginx|$NGINX_PREFIX/logs|g" \
		-e "s|/run/nginx.pid|$NGINX_PREFIX/nginx.pid|; s|/run/canaryctl|$WORK/run|g" \
		-e "s|^worker_processes .*|worker_processes ${1:-2};|" \
		-e "s|listen 80;|listen 127.0.0.1:$HTTP_PORT;|" \
		-e "s|listen 127.0.0.1:8080;|listen 127.0.0.1:$STATUS_PORT;|" \
		-e "s|^http {|http {\n$(nginx_temp_paths)|" \
		"$REPO/nginx/nginx.canary.conf"
}

# A site that knows nothing of canaries but the name of the upstream, as most hosts have it.
nginx_conf_plain() { # [WORKER_PROCESSES]
	cat <<-END
		worker_processes ${1:-2};
		pid $NGINX_PREFIX/nginx.pid;
		error_log $NGINX_PREFIX/logs/error.log notice;
		events { worker_connections 512; }
		http {
		$(nginx_temp_paths)
		    access_log off;
		    include $NGINX_PREFIX/conf.d/*.conf;
		    server {
		        listen 127.0.0.1:$HTTP_PORT;
		        location / {
		            proxy_http_version 1.1;
		            proxy_set_header Connection "";
		            proxy_pass http://app_backend;
		        }
		    }
		}
	END
}

# What an operator has before the first use: a plain upstream with all traffic on production.
upstream_at_zero() { # [TEMPLATE]
	sed -e "s|weight=\${CANARY_WEIGHT}|down|; s|\${PRODUCTION_WEIGHT}|100|; /\${CANARY_WEIGHT}%/d" \
		-e "s|\${PRODUCTION_SERVER}|127.0.0.1:$PRODUCTION_PORT|" \
		-e "s|\${CANARY_SERVER}|127.0.0.1:$CANARY_PORT|; s|\${GENERATION}|none|; s|\${CANARY_WEIGHT}|0|" \
		"${1:-$REPO/nginx/conf.d/upstream.conf.template}"
}

# One line, so that sed can insert it too.
nginx_temp_paths() {
	local kind
	printf '    '
	for kind in client_body proxy fastcgi uwsgi scgi; do
		printf '%s_temp_path %s/tmp/%s; ' "$kind" "$NGINX_PREFIX" "$kind"
	done
}

start_nginx() {
	spawn nginx nginx -p "$NGINX_PREFIX/" -c "$NGINX_CONF" -g 'daemon off;'
	wait_until 10 "NGINX listens on port $HTTP_PORT" port_open "$HTTP_PORT"
}

nginx_reload() {
	nginx -p "$NGINX_PREFIX/" -c "$NGINX_CONF" -s reload
}

# --- Prometheus ------------------------------------------------------------------------------------

# The shipped scrape configuration, with this folder's ports and a scrape interval for the impatient.
prometheus_conf() {
	sed -e "s|scrape_interval: .*|scrape_interval: 250ms|; s|scrape_timeout: .*|scrape_timeout: 250ms|" \
		-e "s|evaluation_interval: .*|evaluation_interval: 1s|" \
		-e "s|app-canary:8001|127.0.0.1:$CANARY_PORT|g; s|app:8000|127.0.0.1:$PRODUCTION_PORT|g" \
		-e "s|localhost:8001|127.0.0.1:$CANARY_PORT|g; s|localhost:8000|127.0.0.1:$PRODUCTION_PORT|g" \
		-e "s|localhost:9090|127.0.0.1:$PROMETHEUS_PORT|g" \
		"$REPO/configs/prometheus/prometheus.yml"
}

start_prometheus() {
	[ -e "$WORK/prometheus.yml" ] || prometheus_conf >"$WORK/prometheus.yml"
	spawn prometheus prometheus --config.file="$WORK/prometheus.yml" \
		--storage.tsdb.path="$WORK/prometheus-data" --storage.tsdb.retention.time=1h \
		--web.listen-address="127.0.0.1:$PROMETHEUS_PORT" --log.level=warn
	wait_until 20 "Prometheus is ready" curl -fs "$PROMETHEUS/-/ready"
	wait_until 20 "Prometheus scrapes both versions" both_targets_up
}

both_targets_up() {
	curl -fs "$PROMETHEUS/api/v1/targets" | jq -e '
		[.data.activeTargets[]
		 | select(.scrapeUrl | test(":('"$PRODUCTION_PORT|$CANARY_PORT"')/"))
		 | select(.health == "up")] | length == 2'
}

# The answer of an instant query: one value a line.
promql() { # EXPRESSION
	curl -fsS "$PROMETHEUS/api/v1/query" --data-urlencode "query=$1" |
		jq -r '.data.result | if type == "array" and length > 0 and (.[0] | type) == "object"
			then .[].value[1] else empty end'
}

# --- reference applications and load ---------------------------------------------------------------

start_refapp() { # ROLE VERSION [ARGUMENT...]
	local role=$1 version=$2 port=$PRODUCTION_PORT
	shift 2
	[ "$role" = production ] || port=$CANARY_PORT
	spawn "$role" "$BUILD_DIR/refapp" --role "$role" --port "$port" --version "$version" "$@"
	wait_until 10 "the $role application is healthy" curl -fs "http://127.0.0.1:$port/health"
}

# Steady load through NGINX. Its report, $WORK/load.json, counts what clients saw; see loadgen.c.
start_load() { # [REQUESTS_PER_SECOND]
	rm -f "$WORK/load.json"
	spawn load "$BUILD_DIR/tests/loadgen" --url "$SITE/api/generate" --rate "${1:-300}" \
		--duration 600 --mode-mix 40,30,30 --out "$WORK/load.json"
	wait_until 10 "the load has begun" jq -e '.ok > 0' "$WORK/load.json"
}

stop_load() {
	stop load
}

# --- canaryctl -------------------------------------------------------------------------------------

# The shipped configuration with this folder's paths, ports and argvs, and times for the impatient:
# stages of OBSERVE, a scrape every 250 ms, an evaluation every 500 ms.
canaryctl_conf() { # OBSERVE
	local nginx="nginx, -p, \"$NGINX_PREFIX/\", -c, \"$NGINX_CONF\""
	sed -e "s|^service: .*|service: fragrance-ai|; /^state_dir:/d; s|^production:|state_dir: $WORK/state\n&|" \
		-e "s|app-canary:8001|127.0.0.1:$CANARY_PORT|g; s|app:8000|127.0.0.1:$PRODUCTION_PORT|g" \
		-e "s|localhost:8001|127.0.0.1:$CANARY_PORT|g; s|localhost:8000|127.0.0.1:$PRODUCTION_PORT|g" \
		-e "s|^  url: .*|  url: $PROMETHEUS|" \
		-e "s|template: \.\./nginx|template: $REPO/nginx|; s|- suites/|- $REPO/configs/suites/|" \
		-e "s|- autoscaling.yaml|- $REPO/configs/autoscaling.yaml|" \
		-e "s|/etc/nginx|$NGINX_PREFIX|g; s|/run/canaryctl|$WORK/run|g" \
		-e "s|127.0.0.1:8099|127.0.0.1:$PROOF_PORT|g" \
		-e "s|^\( *\)test: .*|\1test: [$nginx, -t]|; s|^\( *\)reload: .*|\1reload: [$nginx, -s, reload]|" \
		-e "/^ *container:/d; /^ *install:/d" \
		-e "s|^\( *\)scrape_interval: .*|\1scrape_interval: 250ms|" \
		-e "s|^\( *\)observe: .*|\1observe: $1|; s|^\( *\)interval: .*|\1interval: 500ms|" \
		-e "s|^\( *\)settle: .*|\1settle: 2s|; s|^\( *\)extend_limit: .*|\1extend_limit: 10s|" \
		"$REPO/configs/canaryctl.yaml"
}
