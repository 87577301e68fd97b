# The part "opensearch": one node, plain HTTP, no security. Sourced after lib.sh.
# shellcheck shell=bash

OS_STATE=$STATE/opensearch
OS_VIEW=$STORE_CACHE/${OS_STATE#"$CACHE"/} # the same, as OpenSearch sees it

start_opensearch() {
  mkdir -p "$OS_STATE/node" "$OS_STATE/tmp"
  chown -R "$STORE_UID:$STORE_UID" "$OS_STATE"
  # The runner adds one to the port it is given.
  start_daemon opensearch "${AS_STORE_USER[@]}" \
    "$(java_home 21)/bin/java" -Xms512m -Xmx1g "$QUICK_JAVA" "-Djava.io.tmpdir=$OS_VIEW/tmp" -cp "$STORE_CACHE/${OS_HOME##*/}/*" \
    org.codelibs.opensearch.runner.OpenSearchRunner \
    -basePath "$OS_VIEW/node" -numOfNode 1 -baseHttpPort $((${OS_URL##*:} - 1)) -clusterName "$CLUSTER_NAME"
  wait_for 120 "OpenSearch" opensearch opensearch_answers
}

opensearch_answers() {
  in_ns curl --silent --fail --max-time 5 --output /dev/null "$OS_URL/_cluster/health?wait_for_status=yellow&timeout=3s"
}

opensearch_healthy() { alive opensearch && opensearch_answers; }

opensearch_up() {
  if opensearch_healthy; then return 0; fi
  opensearch_down
  start_opensearch
}

opensearch_down() {
  stop_daemon opensearch 20
  rm -rf "$OS_STATE"
}

opensearch_env() { say "export TESTBED_OS_URL=$OS_URL"; }

opensearch_describe() { say "$OS_URL (pid $(<"$STATE/opensearch.pid"))"; }
