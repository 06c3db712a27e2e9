{{- define "serin.budget" -}}
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {{- include "serin.metadata" . | nindent 2 }}
spec:
  maxUnavailable: {{ (index .root.Values .component).podDisruptionBudget.maxUnavailable }}
  # A pod that is not ready does no work that could be missed.
  unhealthyPodEvictionPolicy: AlwaysAllow
  selector:
    matchLabels: {{- include "serin.selectorLabels" . | nindent 6 }}
{{- end }}
