{{/* Takes the context of the chart that it belongs to, whose names, labels and security it shares. */}}
{{- define "nats.server" -}}
{{- if .Values.nats.ca.existingSecret }}
{{- fail "nats.ca.existingSecret: with an authority programs ask for TLS, which nats.bundled does not speak; leave it empty, or set nats.bundled.enabled to false and nats.url to the NATS that has this certificate" }}
{{- end }}
{{- if gt (int .Values.nats.replicas) 1 }}
{{- fail "nats.replicas: nats.bundled is one server, which keeps one; leave it at 1, or set nats.bundled.enabled to false and nats.url to your cluster" }}
{{- end }}
{{- $nats := dict "root" $ "component" "nats" }}
{{- $config := include "nats.config" . }}
apiVersion: v1
kind: ConfigMap
metadata: {{- include "serin.metadata" $nats | nindent 2 }}
data:
  nats.conf: |
    {{- $config | nindent 4 }}
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {{- include "serin.metadata" $nats | nindent 2 }}
spec:
  serviceName: {{ include "serin.fullname" . }}-nats
  replicas: 1
  selector:
    matchLabels: {{- include "serin.selectorLabels" $nats | nindent 6 }}
  template:
    metadata:
      annotations: { checksum/config: {{ sha256sum $config }} }
      labels: {{- include "serin.labels" $nats | nindent 8 }}
    spec:
      {{- with .Values.imagePullSecrets }}
      imagePullSecrets: {{- toYaml . | nindent 8 }}
      {{- end }}
      serviceAccountName: {{ include "serin.serviceAccountName" . }}
      automountServiceAccountToken: false
      enableServiceLinks: false
      securityContext: {{- toYaml .Values.podSecurityContext | nindent 8 }}
      terminationGracePeriodSeconds: 60
      containers:
        - name: nats
          {{- with .Values.nats.bundled }}
          image: {{ printf "%s:%s" .image.repository .image.tag | quote }}
          imagePullPolicy: {{ $.Values.image.pullPolicy }}
          resources: {{- toYaml .resources | nindent 12 }}
          {{- end }}
          securityContext: {{- toYaml .Values.securityContext | nindent 12 }}
          args: [-c, /etc/nats/nats.conf]
          ports:
            - { name: nats, containerPort: 4222 }
            - { name: monitor, containerPort: 8222 }
          startupProbe:
            httpGet: { path: /healthz, port: monitor }
            periodSeconds: 1
            failureThreshold: 120
          livenessProbe:
            httpGet: { path: "/healthz?js-server-only=true", port: monitor }
            timeoutSeconds: 5
          readinessProbe:
            httpGet: { path: "/healthz?js-server-only=true", port: monitor }
            timeoutSeconds: 5
          volumeMounts:
            - { name: config, mountPath: /etc/nats, readOnly: true }
            - { name: data, mountPath: /data }
      volumes:
        - name: config
          configMap: { name: {{ include "serin.fullname" . }}-nats }
  volumeClaimTemplates:
    - metadata: { name: data }
      spec:
        accessModes: [ReadWriteOnce]
        {{- with .Values.nats.bundled.storage }}
        {{- with .className }}
        storageClassName: {{ . }}
        {{- end }}
        resources: { requests: { storage: {{ .size }} } }
        {{- end }}
---
apiVersion: v1
kind: Service
metadata: {{- include "serin.metadata" $nats | nindent 2 }}
spec:
  clusterIP: None
  selector: {{- include "serin.selectorLabels" $nats | nindent 4 }}
  # Its server speaks first: a mesh cannot guess what.
  ports:
    - { name: nats, port: 4222, targetPort: nats, appProtocol: tcp }
---
# Whoever reaches this server can move traffic: Serin's own pods, and where the values say so sidecars in others.
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {{- include "serin.metadata" $nats | nindent 2 }}
spec:
  podSelector:
    matchLabels: {{- include "serin.selectorLabels" $nats | nindent 6 }}
  policyTypes: [Ingress]
  ingress:
    - ports: [{ port: nats }]
      from:
        - podSelector:
            matchLabels:
              app.kubernetes.io/name: {{ include "serin.name" . }}
              app.kubernetes.io/instance: {{ .Release.Name }}
        {{- if or .Values.nativeSidecar.enabled .Values.nats.bundled.nativeSidecars }}
        - namespaceSelector: {}
          podSelector:
            matchLabels: { serin/native-sidecar: "true" }
        {{- end }}
{{- end }}

{{- define "nats.config" -}}
server_name: {{ include "serin.fullname" . }}-nats
listen: "{{ .Values.bindAddress }}:4222"
http: "{{ .Values.bindAddress }}:8222"
jetstream {
  store_dir: /data
  # Acknowledged writes are on disk.
  sync_interval: always
}
{{- end }}
