# The part "elasticsearch": one node with security and HTTPS. Sourced after lib.sh.
# shellcheck shell=bash

ES_STATE=$STATE/elasticsearch
ES_VIEW=$STORE_CACHE/${ES_STATE#"$CACHE"/} # the same, as Elasticsearch sees it
ES_CA=$ES_STATE/ca/ca.crt

make_certificates() {
  local ca=${ES_CA%/*} out=$ES_STATE/config/http
  mkdir -p "$ca" "$out"
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj "/CN=posturebeat test bed CA" \
    -addext "keyUsage=critical,keyCertSign,cRLSign" -keyout "$ca/ca.key" -out "$ES_CA"
  openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=localhost" \
    -keyout "$out/http.key" -out "$out/http.csr"
  openssl x509 -req -in "$out/http.csr" -CA "$ES_CA" -CAkey "$ca/ca.key" -CAcreateserial -days 30 -out "$out/http.crt" \
    -extfile <(say "subjectAltName=IP:127.0.0.1,IP:$NODE_IP,DNS:localhost
extendedKeyUsage=serverAuth
authorityKeyIdentifier=keyid")
  chmod 0600 "$ca/ca.key" "$out/http.key"
}

prepare_elasticsearch() {
  mkdir -p "$ES_STATE"/{config,data,logs,tmp} "$LOGS"
  cp -r "$ES_HOME/config/." "$ES_STATE/config"
  make_certificates >"$LOGS/elasticsearch-certificates.log" 2>&1 || die "cannot create certificates (log: $LOGS/elasticsearch-certificates.log)"
  cat >"$ES_STATE/config/elasticsearch.yml" <<END
cluster.name: $CLUSTER_NAME
node.name: es-1
path.data: $ES_VIEW/data
path.logs: $ES_VIEW/logs
# The second address is the one that pods reach.
http.host: [127.0.0.1, $NODE_IP]
http.publish_host: 127.0.0.1
http.port: 9200
transport.host: 127.0.0.1
transport.port: 9600 # OpenSearch takes one from 9300 on
discovery.type: single-node
cluster.routing.allocation.disk.threshold_enabled: false # a full disk of the machine must not stop the tests
xpack.security.enabled: true
xpack.security.autoconfiguration.enabled: false
xpack.security.http.ssl:
  enabled: true
  key: http/http.key
  certificate: http/http.crt
END
  chown -R "$STORE_UID:$STORE_UID" "$ES_STATE"/{config,data,logs,tmp}
}

# Keeps the data of an earlier start.
start_elasticsearch() {
  start_daemon elasticsearch "${AS_STORE_USER[@]}" \
    env ES_JAVA_HOME="$(java_home 17)" ES_PATH_CONF="$ES_VIEW/config" ES_TMPDIR="$ES_VIEW/tmp" \
    ES_JAVA_OPTS="-Xms512m -Xmx1g -XX:-AlwaysPreTouch $QUICK_JAVA" CLI_JAVA_OPTS="-Xmx64m $QUICK_JAVA" "$STORE_CACHE/${ES_HOME##*/}/bin/elasticsearch"
}

wait_for_elasticsearch() { wait_for 120 Elasticsearch elasticsearch elasticsearch_answers; }

elasticsearch_answers() {
  in_ns curl --silent --fail --max-time 5 --cacert "$ES_CA" --user "$ES_USER:$ES_PASSWORD" --output /dev/null \
    "$ES_URL/_cluster/health?wait_for_status=yellow&timeout=3s"
}

elasticsearch_healthy() { alive elasticsearch && elasticsearch_answers; }

elasticsearch_up() {
  if elasticsearch_healthy; then return 0; fi
  elasticsearch_down
  prepare_elasticsearch
  start_elasticsearch
  wait_for_elasticsearch
}

elasticsearch_down() {
  stop_daemon elasticsearch 20
  rm -rf "$ES_STATE"
}

elasticsearch_env() {
  cat <<END
export TESTBED_ES_URL=$ES_URL
export TESTBED_ES_USER=$ES_USER
export TESTBED_ES_PASSWORD=$ES_PASSWORD
export TESTBED_ES_CA=$(printf %q "$ES_CA")
export TESTBED_ES_PID_FILE=$(printf %q "$STATE/elasticsearch.pid")
END
}

elasticsearch_describe() { say "$ES_URL (pid $(<"$STATE/elasticsearch.pid"))"; }
