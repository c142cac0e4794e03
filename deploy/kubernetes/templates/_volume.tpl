{{- define "zendesk-chat.claim" -}}
accessModes: {{ .accessModes | toJson }}
{{- with .storageClassName }}
storageClassName: {{ . }}
{{- end }}
resources:
  requests:
    storage: {{ .size }}
{{- end -}}
