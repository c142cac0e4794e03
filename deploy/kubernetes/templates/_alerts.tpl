{{- /* The regular expression of the names of CronJobs. */ -}}
{{- define "zendesk-chat.cronjobNames" -}}
{{- $names := list -}}
{{- range . -}}{{- $names = append $names .name -}}{{- end -}}
{{- join "|" $names -}}
{{- end -}}

{{- /* The same of the accounts of CronJobs that are not suspended. */ -}}
{{- define "zendesk-chat.accountNames" -}}
{{- $names := list -}}
{{- range . -}}
{{- if not .suspend -}}{{- $names = concat $names (keys .accounts | sortAlpha) -}}{{- end -}}
{{- end -}}
{{- join "|" $names -}}
{{- end -}}
