{{/* The account that judges the cluster. */}}
{{- define "posturebeat.leader" -}}
{{ if eq .Values.mode "split" }}posturebeat-cluster{{ else }}posturebeat{{ end }}
{{- end }}

{{- define "posturebeat.image" -}}
{{- with .Values.image -}}
{{ .repository }}{{ if .digest }}@{{ .digest }}{{ else }}:{{ .tag | default $.Chart.AppVersion }}{{ end }}
{{- end }}
{{- end }}

{{/* Added to the labels of the kustomize base. The names are the same, so either can replace the other. */}}
{{- define "posturebeat.labels" -}}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end }}

{{- define "posturebeat.subject" -}}
subjects:
  - kind: ServiceAccount
    name: {{ .name }}
    namespace: {{ .root.Release.Namespace }}
{{- end }}

{{/* posturebeat.yml of the probe (`node`) or the watcher (`cluster`). */}}
{{- define "posturebeat.config" -}}
{{- $root := .root -}}
{{- $v := $root.Values -}}
{{- $judgesCluster := or (eq .of "cluster") (eq $v.mode "daemonset") -}}
{{- $p := dict "benchmarks" $v.benchmarks -}}
{{- $collect := dict -}}
{{- if eq .of "node" -}}
{{- $_ := set $p "host_root" "/hostfs" -}}
{{- $_ := set $collect "kubelet_url" "https://${NODE_IP}:10250" -}}
{{- else -}}
{{- $_ := set $collect "node" false -}}
{{- end -}}
{{- if not $judgesCluster -}}{{- $_ := set $collect "cluster" false -}}{{- end -}}
{{- if and $judgesCluster $v.collectSecrets -}}{{- $_ := set $collect "secrets" true -}}{{- end -}}
{{- $election := dict -}}
{{- if ne $v.leaderElection.leaseName "posturebeat-cluster-leader" -}}
{{- $_ := set $election "lease_name" $v.leaderElection.leaseName -}}
{{- end -}}
{{- with $v.leaderElection.leaseNamespace -}}{{- $_ := set $election "lease_namespace" . -}}{{- end -}}
{{- if and $judgesCluster $election -}}{{- $_ := set $p "leader_election" $election -}}{{- end -}}
{{- if and $judgesCluster $v.exceptions.enabled -}}
{{- $_ := set $p "exceptions_files" (list "/etc/posturebeat/exceptions/*.yml") -}}
{{- end -}}
{{- $_ := set $p "collect" $collect -}}
{{- $output := dict "elasticsearch" (dict "hosts" $v.output.elasticsearch.hosts) -}}
{{- if $v.output.file.path -}}{{- $output = dict "file" (dict "path" $v.output.file.path) -}}{{- end -}}
{{- $base := dict "posturebeat" $p "output" $output "path" (dict "data" "/var/lib/posturebeat") -}}
{{ toYaml (mergeOverwrite $base (deepCopy $v.config)) }}
{{- end }}

{{/* The exceptions for the chosen benchmarks, in the release's namespace. */}}
{{- define "posturebeat.exceptions" -}}
{{- $file := "files/exceptions-eks.yml" -}}
{{- range .Values.benchmarks -}}{{- if hasPrefix "cis_k8s" . -}}{{- $file = "files/exceptions.yml" -}}{{- end -}}{{- end -}}
{{- $namespace := printf "kind: Namespace, name: %s" .Release.Namespace -}}
{{ .Files.Get $file | replace "namespace: posturebeat" (printf "namespace: %s" .Release.Namespace) | replace "kind: Namespace, name: posturebeat" $namespace }}
{{- end }}

{{/* Arguments and volumes of both kinds of pod. */}}
{{- define "posturebeat.args" -}}
- run
- -c
- /etc/posturebeat/posturebeat.yml
{{- if not .Values.output.file.path }}
- -c
- /etc/posturebeat/credentials/credentials.yml
{{- end }}
{{- end }}

{{- define "posturebeat.mounts" -}}
- {name: config, mountPath: /etc/posturebeat, readOnly: true}
{{- if .exceptions }}
- {name: exceptions, mountPath: /etc/posturebeat/exceptions, readOnly: true}
{{- end }}
{{- if not .root.Values.output.file.path }}
- {name: credentials, mountPath: /etc/posturebeat/credentials, readOnly: true}
{{- end }}
- {name: token, mountPath: /var/run/secrets/kubernetes.io/serviceaccount, readOnly: true}
- {name: data, mountPath: /var/lib/posturebeat}
{{- end }}

{{- define "posturebeat.volumes" -}}
- {name: config, configMap: {name: {{ .config }}, defaultMode: 0444}}
{{- if .exceptions }}
- {name: exceptions, configMap: {name: posturebeat-exceptions, defaultMode: 0444}}
{{- end }}
{{- with .root.Values.output }}
{{- if not .file.path }}
- {name: credentials, secret: {secretName: {{ if .elasticsearch.apiKey }}posturebeat-api-key{{ else }}{{ .elasticsearch.existingSecret }}{{ end }}, defaultMode: {{ $.secretMode }}}}
{{- end }}
{{- end }}
# What automounting would mount, but valid for an hour: the API server extends the usual 3607 s token to a year.
- name: token
  projected:
    defaultMode: {{ .tokenMode }}
    sources:
      - serviceAccountToken: {path: token, expirationSeconds: 3600}
      - configMap: {name: kube-root-ca.crt, items: [{key: ca.crt, path: ca.crt}]}
      - downwardAPI: {items: [{path: namespace, fieldRef: {fieldPath: metadata.namespace}}]}
{{- end }}

{{/* A change of the configuration restarts the pods. */}}
{{- define "posturebeat.checksums" -}}
checksum/config: {{ printf "%s%s%s" (include "posturebeat.config" .) (include "posturebeat.exceptions" .root) .root.Values.output.elasticsearch.apiKey | sha256sum }}
{{- end }}
