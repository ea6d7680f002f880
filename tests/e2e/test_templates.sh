#!/usr/bin/env bash
# Both shipped templates and the seeds' own, unchanged, from 0 to 100 %: the weights that NGINX really
# gives to real requests.
. "$(dirname "$0")/lib.sh"

# WEIGHT REQUESTS LOW HIGH: round robin is exact within one, the split is random within five sigma.
EXACT='0 100 0 0
0.5 400 1 3
1 200 1 3
50 200 99 101
99.5 400 397 399
100 100 100 100'
RANDOM_SPLIT='0 100 0 0
0.5 2000 1 26
1 1000 1 26
50 400 150 250
99.5 2000 1974 1999
100 100 100 100'

weights_in_force() { # TABLE
	local weight requests low high
	while read -r weight requests low high; do
		ctl weights set "$weight"
		assert_status 0
		weight_is "$weight" || fail "the proof says $(proof canary), expected $weight"
		assert_between "$(canary_hits "$requests")" "$low" "$high" \
			"canary's part of $requests requests at $weight %"
		! sed 's|#.*||' "$UPSTREAM_CONF" | grep -Eq 'weight=0\b|(^|[^0-9.])0%' || fail "NGINX would refuse $UPSTREAM_CONF"
	done <<<"$1"
	ctl weights set 0
	all_on_production
}

weighted() {
	write_config
	weights_in_force "$EXACT"
}

split() {
	TEMPLATE=$REPO/nginx/conf.d/split.conf.template
	write_config
	weights_in_force "$RANDOM_SPLIT"
}

seeds() {
	TEMPLATE=$WORK/seeds.conf.template
	# As in the seeds, to the letter but for the two names, which only resolve in their compose network.
	cat >"$TEMPLATE" <<-END
		upstream app_backend {
		    # Production version (stable)
		    server 127.0.0.1:$PRODUCTION_PORT weight=\${PRODUCTION_WEIGHT};  # 99, 95, 75, 0

		    # Canary version (new release)
		    server 127.0.0.1:$CANARY_PORT weight=\${CANARY_WEIGHT};  # 1, 5, 25, 100

		    keepalive 32;
		}
	END
	write_config
	weights_in_force "$EXACT"
}

scenario_begin templates
start_refapp production v0.1.0
start_canary
start_site 1
run_case weighted 'upstream.conf.template'
stop nginx
TEMPLATE=$REPO/nginx/conf.d/split.conf.template
start_site 1
run_case split 'split.conf.template'
stop nginx
# Without a zone each worker has its own rotation: one worker makes the count exact.
TEMPLATE=$REPO/nginx/conf.d/upstream.conf.template
upstream_at_zero "$TEMPLATE" >"$UPSTREAM_CONF"
nginx_conf_plain 1 >"$NGINX_CONF"
start_nginx
run_case seeds "the seeds' template, unchanged"
scenario_end
