#!/usr/bin/env bash
# What the documents show is true: every configuration in them that begins with a service is valid, and
# every link to a file leads somewhere.
. "$(dirname "$0")/lib.sh"

# Each such block of a document, in a file of its own.
configurations_of() { # DOCUMENT
	awk -v prefix="$WORK/shown-$(basename "$1" .md)" '
		/^```yaml/ { inside = 1; text = ""; next }
		/^```/ && inside { if (text ~ /^service:/) printf "%s", text >(prefix "-" ++n ".yaml"); inside = 0 }
		inside { text = text $0 "\n" }' "$1"
	ls "$WORK/shown-$(basename "$1" .md)"-*.yaml
}

shown_configurations_are_valid() {
	local document
	: >"$WORK/shop.conf.template"
	for document in README.md docs/getting-started.md; do
		for CONFIG in $(configurations_of "$REPO/$document"); do
			ctl config validate
			[ "$STATUS" -eq 0 ] || fail "$document shows a configuration that is refused: $(cat "$OUT" "$ERR")"
		done
	done
}

links_lead_somewhere() {
	local document target
	for document in "$REPO"/README.md "$REPO"/docs/*.md "$REPO"/src/README.md; do
		while read -r target; do
			case $target in
			'' | http*) ;;
			*) [ -e "$(dirname "$document")/$target" ] || fail "$document: no '$target'" ;;
			esac
		done < <(grep -o '](\([^)]*\))' "$document" | sed 's/^](//; s/[)#].*$//')
	done
}

scenario_begin docs
run_case shown_configurations_are_valid 'the configurations in README.md and docs/ are valid'
run_case links_lead_somewhere 'links lead somewhere'
scenario_end
