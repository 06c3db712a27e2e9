{{/* Arguments of a sidecar but for where it listens. */}}
{{- define "serin.sidecarArgs" -}}
{{- $values := .root.Values.sidecar }}
- --metrics
- {{ printf "%s:9464" .root.Values.bindAddress | quote }}
- --state-dir
- /var/lib/serin
{{- range $name, $value := $values.labels }}
- --label
- {{ printf "%s=%s" $name $value | quote }}
{{- end }}
{{- range $values.trustPeers }}
- --trust-peer
- {{ . | quote }}
{{- end }}
{{- with include "serin.fileArgs" . | trim }}
{{ . }}
{{- end }}
- --log-level
- {{ .root.Values.logLevel }}
{{- range $values.extraArgs }}
- {{ . | quote }}
{{- end }}
{{- end }}
