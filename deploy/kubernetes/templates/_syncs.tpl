{{- /* The CronJobs: a list of name, accounts, schedule, suspend, lateAfterHours, resources and volume. */ -}}
{{- define "zendesk-chat.syncs" -}}
{{- include "zendesk-chat.validate" . -}}
{{- $syncs := list -}}
{{- if .Values.oneCronJob -}}
{{- $syncs = append $syncs (dict "name" .Release.Name "labels" dict "accounts" .Values.accounts "own" dict) -}}
{{- else -}}
{{- range $name, $account := .Values.accounts -}}
{{- $labels := dict "zendesk-chat/account" $name -}}
{{- $syncs = append $syncs (dict "name" (printf "%s-%s" $.Release.Name $name) "labels" $labels "accounts" (dict $name $account) "own" $account) -}}
{{- end -}}
{{- end -}}
{{- range $syncs -}}
{{- if gt (len .name) 52 -}}
{{- fail (printf "The name of the CronJob %s has %d characters, and Kubernetes allows 52. Shorten the name of the account, and set its subdomain in `settings`." .name (len .name)) -}}
{{- end -}}
{{- end -}}
{{- range $syncs }}
- name: {{ .name }}
  labels: {{ merge .labels (include "zendesk-chat.labels" $ | fromYaml) (dict "app.kubernetes.io/component" "sync") | toJson }}
  accounts: {{ .accounts | toJson }}
  schedule: {{ include "zendesk-chat.schedule" (dict "schedule" (.own.schedule | default $.Values.schedule) "name" .name) | toJson }}
  suspend: {{ or .own.suspend $.Values.suspend false }}
  lateAfterHours: {{ .own.lateAfterHours | default $.Values.alerts.lateAfterHours }}
  resources: {{ .own.resources | default $.Values.resources | toJson }}
  volume: {{ merge (deepCopy (.own.volume | default dict)) $.Values.volume | toJson }}
{{- end -}}
{{- end -}}

{{- define "zendesk-chat.labels" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- /* H becomes a minute that the name decides. */ -}}
{{- define "zendesk-chat.schedule" -}}
{{- $minute := mod (printf "0x%s" (sha256sum .name | trunc 7) | int64) 60 -}}
{{- regexReplaceAll "^H " .schedule (printf "%d " $minute) -}}
{{- end -}}

{{- /* The Secret of an account. */ -}}
{{- define "zendesk-chat.secret" -}}
{{- .account.secret | default (printf "%s-%s" .release .name) -}}
{{- end -}}

{{- /* What every pod and every container may do: nothing but its work. */ -}}
{{- define "zendesk-chat.podSecurity" -}}
runAsNonRoot: true
{{- with .Values.uid }}
runAsUser: {{ . | int }}
runAsGroup: {{ . | int }}
fsGroup: {{ . | int }}
{{- end }}
fsGroupChangePolicy: OnRootMismatch
seccompProfile: { type: RuntimeDefault }
{{- end -}}

{{- define "zendesk-chat.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: { drop: [ALL] }
{{- end -}}
