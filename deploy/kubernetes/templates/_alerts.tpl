{{- /* Matchers of the CronJobs in the metrics of kube-state-metrics, and of the accounts that are not suspended in those of `sync`. */ -}}
{{- define "zendesk-chat.cronjobMatcher" -}}
{{- $names := list -}}
{{- range include "zendesk-chat.syncs" . | fromYamlArray -}}{{- $names = append $names .name -}}{{- end -}}
=~"{{ join "|" $names }}"
{{- end -}}

{{- define "zendesk-chat.accountMatcher" -}}
{{- $names := list -}}
{{- range $name, $account := .Values.accounts -}}
{{- if not (or $account.suspend $.Values.suspend) -}}{{- $names = append $names $name -}}{{- end -}}
{{- end -}}
=~"{{ join "|" $names }}"
{{- end -}}
