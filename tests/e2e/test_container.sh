#!/usr/bin/env bash
# traffic.nginx.container: install, test and reload go through docker. A docker engine is not needed:
# a stand-in on PATH has the same NGINX as its container.
. "$(dirname "$0")/lib.sh"

NAME=fragrance-ai-nginx

# cp and exec of the one container; /etc/nginx in it is this scenario's folder.
write_docker_stand_in() {
	mkdir -p "$WORK/bin"
	cat >"$WORK/bin/docker" <<-END
		#!/usr/bin/env bash
		set -euo pipefail
		echo "docker \$*" >>"$WORK/docker.calls"
		inside() { echo "\${1/#\/etc\/nginx/$NGINX_PREFIX}"; }
		verb=\$1
		shift
		case \$verb in
		cp)
		    while [[ \$1 == -* ]]; do shift; done
		    from=\$1 to=\$2
		    [[ \$from != $NAME:* ]] || from=\$(inside "\${from#$NAME:}")
		    [[ \$to != $NAME:* ]] || to=\$(inside "\${to#$NAME:}")
		    exec cp -r "\$from" "\$to" ;;
		exec)
		    while [[ \$1 == -* ]]; do shift; done
		    [ "\$1" = $NAME ] || { echo "Error: No such container: \$1" >&2; exit 1; }
		    shift
		    argv=()
		    for word; do argv+=("\$(inside "\$word")"); done
		    if [ "\${argv[*]}" = 'nginx -T' ]; then
		        nginx -p "$NGINX_PREFIX/" -c "$NGINX_CONF" -T | sed 's|$NGINX_PREFIX|/etc/nginx|g'
		        exit
		    fi
		    if [ "\${argv[0]}" = nginx ] && [[ " \${argv[*]} " != *" -c "* ]]; then
		        exec nginx -p "$NGINX_PREFIX/" -c "$NGINX_CONF" "\${argv[@]:1}"
		    fi
		    exec "\${argv[@]}" ;;
		*)
		    echo "docker: '\$verb' is not a docker command." >&2
		    exit 1 ;;
		esac
	END
	chmod +x "$WORK/bin/docker"
	PATH=$WORK/bin:$PATH
}

write_container_config() {
	CFG_NGINX="container: ${1:-$NAME}" CFG_OUTPUT=/etc/nginx/conf.d/upstream.conf CFG_STAGES='[50, 100]' write_config
	sed -i '/^    test:/d; /^    reload:/d' "$CONFIG"
}

weights_through_docker() {
	local weight
	write_container_config
	for weight in 0 25 100 0; do
		ctl weights set "$weight"
		assert_status 0
		weight_is "$weight" || fail "the proof says $(proof canary)"
		assert_equal "$(canary_hits 100)" "$weight" "requests of 100 on the canary"
	done
	grep -q "^docker cp .* $NAME:/etc/nginx/conf.d/" "$WORK/docker.calls" || fail "no docker cp"
	grep -q "^docker exec .*$NAME nginx -t" "$WORK/docker.calls" || fail "no docker exec nginx -t"
	grep -q "^docker exec .*$NAME nginx -s reload" "$WORK/docker.calls" || fail "no docker exec nginx -s reload"
}

rollout_through_docker() {
	write_container_config
	start_load
	ctl deploy --version v0.2.0 --yes --output "$REPORT"
	stop_load
	assert_status 0
	assert_json "$REPORT" '.outcome == "succeeded" and .traffic.canary_weight == 100'
	assert_json "$WORK/load.json" '.failed == 0'
	ctl rollback
	assert_status 0
	all_on_production
}

broken_include_in_the_container() {
	write_container_config
	echo 'this is no directive;' >"$NGINX_PREFIX/conf.d/upstream-other.conf"
	ctl weights set 25
	rm "$NGINX_PREFIX/conf.d/upstream-other.conf"
	assert_status 2
	weight_is 0 || fail "the proof says $(proof canary)"
	all_on_production
}

# What is not GO of the examinations that are about NGINX.
nginx_findings() {
	ctl doctor --output "$REPORT"
	jq -r '.checks[] | select(.name | test("^(nginx|listen|proof|output|pool|template|upstream|retries|brake)"))
		| select(.status != "GO") | "\(.name):\(.status)"' "$REPORT" | tr '\n' ' '
}

doctor_looks_into_the_container() {
	write_container_config
	# The stand-in's processes are to be seen from here; of its files nothing is said.
	assert_equal "$(nginx_findings)" 'brake-file:WARNING ' 'what the doctor finds'
	assert_json "$REPORT" '.checks[] | select(.name == "output-included") | .message | test("/etc/nginx/conf.d/upstream.conf")'
	echo 'this is no directive;' >"$NGINX_PREFIX/conf.d/upstream-other.conf"
	assert_match "$(nginx_findings)" 'nginx-test:NO_GO' 'what the doctor finds'
	rm "$NGINX_PREFIX/conf.d/upstream-other.conf"
	write_container_config no-such-container
	assert_match "$(nginx_findings)" 'nginx-test:NO_GO' 'what the doctor finds'
}

container_that_does_not_exist() {
	write_container_config no-such-container
	ctl weights set 25
	[ "$STATUS" -eq 2 ] || [ "$STATUS" -eq 69 ] || fail "exit code $STATUS, expected 2 or 69"
	assert_error "no-such-container"
	all_on_production
}

scenario_begin container
start_scene 2
write_docker_stand_in
run_case weights_through_docker 'weights through docker cp and docker exec'
run_case rollout_through_docker 'a rollout through docker'
run_case broken_include_in_the_container 'a broken include in the container'
run_case doctor_looks_into_the_container 'the doctor looks into the container'
run_case container_that_does_not_exist 'a container that does not exist'
scenario_end
