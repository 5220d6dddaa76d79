{{- define "reachd.name" -}}
{{- if contains .Chart.Name .Release.Name }}{{ .Release.Name | trunc 50 | trimSuffix "-" }}{{ else }}{{ printf "%s-%s" .Release.Name .Chart.Name | trunc 50 | trimSuffix "-" }}{{ end }}
{{- end }}

{{- define "reachd.selector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "reachd.labels" -}}
{{ include "reachd.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- with .Values.labels }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "reachd.serviceAccount" -}}
{{- if .Values.serviceAccount.create }}{{ .Values.serviceAccount.name | default (include "reachd.name" .) }}{{ else }}{{ .Values.serviceAccount.name | default "default" }}{{ end }}
{{- end }}

{{- /* The kubelet knows no certificate and no login of reachd's: where there may be some, reachd asks itself. */ -}}
{{- define "reachd.probe" -}}
{{- $root := index . 0 }}{{ $path := index . 1 -}}
{{- if $root.Values.web.secret -}}
exec:
  command:
    - /reachd
    - healthcheck
    - --web.config.file=/etc/reachd/web/web.yml
    - --web.listen-address={{ $root.Values.listenHost }}:{{ $root.Values.port }}
    {{- if eq $path "/-/ready" }}
    - --ready
    {{- end }}
    {{- range $root.Values.web.healthcheckArgs }}
    - {{ . | quote }}
    {{- end }}
{{- else -}}
httpGet: {path: {{ $path }}, port: http}
{{- end }}
{{- end }}
