{{/* What a component reads from Secrets and ConfigMaps, and by which flag or variable. Without a key it is a folder. */}}
{{- define "serin.files" -}}
{{- $values := .root.Values }}
{{- with $values.nats.creds }}
{{- if .existingSecret }}
{{- $key := get (dict "controller" .controllerKey "sidecar" .sidecarKey "test" .viewerKey) $.component }}
- { name: nats-creds, secret: {{ .existingSecret | quote }}, key: {{ $key | quote }}, env: SERIN_NATS_CREDS }
{{- end }}
{{- end }}
{{- with $values.nats.ca }}
{{- if .existingSecret }}
- { name: nats-ca, secret: {{ .existingSecret | quote }}, key: {{ .key | quote }}, env: SERIN_NATS_CA }
{{- end }}
{{- end }}
{{- if ne .component "test" }}
{{- with $values.operatorKeys }}
{{- if .existingConfigMap }}
- { name: operator-keys, configMap: {{ .existingConfigMap | quote }}, key: {{ .key | quote }}, flag: --operator-keys }
{{- end }}
{{- end }}
{{- end }}
{{- if eq .component "controller" }}
{{- with $values.controller.tokens }}
{{- if .existingSecret }}
- { name: tokens, secret: {{ .existingSecret | quote }}, key: {{ .key | quote }}, flag: --tokens }
{{- end }}
{{- end }}
{{- with $values.controller.feedback }}
{{- if .existingSecret }}
- { name: feedback-tokens, secret: {{ .existingSecret | quote }}, key: {{ .key | quote }}, flag: --feedback-token-file }
{{- end }}
{{- end }}
{{- with $values.controller.checks.existingSecret }}
- { name: check-secrets, secret: {{ . | quote }}, flag: --check-secrets }
{{- end }}
{{- with $values.controller.notifications.existingSecret }}
- { name: notify-secrets, secret: {{ . | quote }}, flag: --notify-secrets }
{{- end }}
{{- else if eq .component "sidecar" }}
{{- with $values.sidecar.cookieKeys }}
{{- if .existingSecret }}
- { name: cookie-keys, secret: {{ .existingSecret | quote }}, key: {{ .key | quote }}, flag: --cookie-key }
{{- end }}
{{- end }}
{{- with $values.sidecar.debugSecrets }}
{{- if .existingSecret }}
- { name: debug-secrets, secret: {{ .existingSecret | quote }}, key: {{ .key | quote }}, flag: --debug-secret }
{{- end }}
{{- end }}
{{- end }}
{{- end }}

{{- define "serin.fileArgs" -}}
{{- range include "serin.files" . | fromYamlArray }}
{{- if .flag }}
- {{ .flag }}
- /etc/serin/{{ .name }}{{ with .key }}/{{ . }}{{ end }}
{{- end }}
{{- end }}
{{- end }}

{{/* By a variable, so that `kubectl exec` of a command finds it too. */}}
{{- define "serin.fileEnv" -}}
{{- range include "serin.files" . | fromYamlArray }}
{{- if .env }}
- { name: {{ .env }}, value: "/etc/serin/{{ .name }}/{{ .key }}" }
{{- end }}
{{- end }}
{{- end }}

{{- define "serin.fileMounts" -}}
{{- range include "serin.files" . | fromYamlArray }}
- { name: serin-{{ .name }}, mountPath: /etc/serin/{{ .name }}, readOnly: true }
{{- end }}
{{- end }}

{{/* Mounts of a component's container, and volumes of its pods: of its files, and those that the values add. */}}
{{- define "serin.mounts" -}}
{{- include "serin.fileMounts" . }}
{{- with (index .root.Values .component).extraVolumeMounts }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "serin.volumes" -}}
{{- include "serin.fileVolumes" . }}
{{- with (index .root.Values .component).extraVolumes }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/* Readable by the group of `fsGroup`. Where there is none, as in somebody else's pod, `mode` says otherwise. */}}
{{- define "serin.fileVolumes" -}}
{{- $mode := default "0440" .mode }}
{{- range include "serin.files" . | fromYamlArray }}
- name: serin-{{ .name }}
  {{- if .secret }}
  secret:
    secretName: {{ .secret }}
    defaultMode: {{ $mode }}
    {{- with .key }}
    items: [{ key: {{ . | quote }}, path: {{ . | quote }} }]
    {{- end }}
  {{- else }}
  configMap:
    name: {{ .configMap }}
    items: [{ key: {{ .key | quote }}, path: {{ .key | quote }} }]
  {{- end }}
{{- end }}
{{- end }}

{{/* The container's image, security and environment; `security` in place of what the values say. */}}
{{- define "serin.container" -}}
image: {{ include "serin.image" .root | quote }}
imagePullPolicy: {{ .root.Values.image.pullPolicy }}
securityContext: {{- toYaml (default .root.Values.securityContext .security) | nindent 2 }}
env:
  - { name: SERIN_NATS, value: {{ include "serin.natsUrl" .root | quote }} }
  {{- with include "serin.fileEnv" . | trim }}
  {{- . | nindent 2 }}
  {{- end }}
  {{- if ne .component "test" }}
  {{- with (index .root.Values .component).extraEnv }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
  {{- end }}
{{- end }}

{{- define "serin.podMetadata" -}}
{{- $values := index .root.Values .component }}
{{- with $values.podAnnotations }}
annotations: {{- toYaml . | nindent 2 }}
{{- end }}
labels:
  {{- include "serin.labels" . | nindent 2 }}
  {{- with $values.podLabels }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end }}

{{/* Who the pod runs as, and where. */}}
{{- define "serin.podSpec" -}}
{{- $values := index .root.Values .component }}
{{- with .root.Values.imagePullSecrets }}
imagePullSecrets: {{- toYaml . | nindent 2 }}
{{- end }}
serviceAccountName: {{ include "serin.serviceAccountName" .root }}
# A controller alone may have rights.
automountServiceAccountToken: {{ and (eq .component "controller") .root.Values.controller.kubernetes.enabled }}
# Variables of Services would begin with SERIN_ as well.
enableServiceLinks: false
securityContext: {{- toYaml .root.Values.podSecurityContext | nindent 2 }}
{{- with $values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with $values.nodeSelector }}
nodeSelector: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $values.tolerations }}
tolerations: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $values.affinity }}
affinity: {{- toYaml . | nindent 2 }}
{{- end }}
topologySpreadConstraints:
  {{- with $values.topologySpreadConstraints }}
  {{- toYaml . | nindent 2 }}
  {{- else }}
  - maxSkew: 1
    topologyKey: kubernetes.io/hostname
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels: {{- include "serin.selectorLabels" . | nindent 8 }}
  {{- end }}
{{- end }}
