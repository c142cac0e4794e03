{{- /* What a schema cannot check, or refuses without a reason. */ -}}
{{- define "zendesk-chat.validate" -}}
{{- if not .Values.image.repository -}}
{{- fail "image.repository: set it to the image that you built, such as registry.example.com/zendesk-chat-loader. docs/many-accounts.md has the commands." -}}
{{- end -}}
{{- if not .Values.accounts -}}
{{- fail "There are no accounts. Add one to `accounts`, such as: --set-json 'accounts.acme={}'" -}}
{{- end -}}
{{- include "zendesk-chat.validateSettings" (dict "settings" .Values.settings "where" "settings") -}}
{{- include "zendesk-chat.validateSchedule" (dict "schedule" .Values.schedule "where" "schedule") -}}
{{- if .Values.settings.subdomain -}}
{{- fail "settings.subdomain: it would apply to all accounts. Set it in the settings of one account, such as accounts.acme.settings.subdomain." -}}
{{- end -}}
{{- range $key := list "token_file" "token_env" "config" -}}
{{- if and (hasKey $.Values.settings $key) (not (contains "{account}" (get $.Values.settings $key))) -}}
{{- fail (printf "settings.%s: it would apply to all accounts. Let it differ by account, with {account} in it." $key) -}}
{{- end -}}
{{- end -}}
{{- range .Values.args -}}
{{- if regexMatch (include "zendesk-chat.passwordInUrl" $) . -}}
{{- fail "args: Helm stores values, so a URL must not contain a password. Put the password into a Secret, as PGPASSWORD for Postgres, and name the Secret in `envSecret`." -}}
{{- end -}}
{{- end -}}
{{- $tables := dict -}}
{{- $subdomains := dict -}}
{{- range $name, $account := .Values.accounts -}}
{{- include "zendesk-chat.validateAccount" (dict "name" $name "account" $account "oneCronJob" $.Values.oneCronJob) -}}
{{- $settings := merge dict ($account.settings | default dict) $.Values.settings -}}
{{- $volume := $.Values.volume.enabled -}}
{{- if hasKey ($account.volume | default dict) "enabled" -}}{{- $volume = $account.volume.enabled -}}{{- end -}}
{{- include "zendesk-chat.validateDestination" (dict "name" $name "to" $settings.to "volume" $volume) -}}
{{- if or $.Values.oneCronJob (not (regexMatch (include "zendesk-chat.localPath" $) ($settings.to | default ""))) -}}
{{- $destination := printf "%s %s" $settings.to ($settings.schema | default "") | replace "{account}" $name -}}
{{- with get $tables $destination -}}
{{- fail (printf "accounts.%s and accounts.%s would load into the same tables. Set a schema that contains {account}, such as: settings.schema=zendesk_chat_{account}" . $name) -}}
{{- end -}}
{{- $_ := set $tables $destination $name -}}
{{- end -}}
{{- $subdomain := $settings.subdomain | default $name | lower | trim | trimPrefix "https://" | trimSuffix "/" | trimSuffix ".zendesk.com" -}}
{{- with get $subdomains $subdomain -}}
{{- fail (printf "accounts.%s and accounts.%s have the same subdomain, %s, so they would share one rate limit. Remove one of them." . $name $subdomain) -}}
{{- end -}}
{{- $_ := set $subdomains $subdomain $name -}}
{{- end -}}
{{- end -}}

{{- define "zendesk-chat.validateAccount" -}}
{{- $where := printf "accounts.%s" .name -}}
{{- if or (not (regexMatch "^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$" .name)) (eq .name "metrics-files") -}}
{{- fail (printf "accounts: the account %q needs another name: at most 40 lower-case letters, digits and hyphens, and not metrics-files. Set its subdomain in its `settings`." .name) -}}
{{- end -}}
{{- if kindIs "invalid" .account -}}
{{- fail (printf "%s: null deletes a key in Helm. For an account without values of its own, write: %s: {}" $where .name) -}}
{{- end -}}
{{- if .oneCronJob -}}
{{- range $key := list "schedule" "suspend" "lateAfterHours" "volume" "resources" -}}
{{- if hasKey $.account $key -}}
{{- fail (printf "%s.%s: with oneCronJob, this is a value for all accounts. Move it out of the account." $where $key) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- with .account.schedule -}}
{{- include "zendesk-chat.validateSchedule" (dict "schedule" . "where" (printf "%s.schedule" $where)) -}}
{{- end -}}
{{- with .account.settings -}}
{{- include "zendesk-chat.validateSettings" (dict "settings" . "where" (printf "%s.settings" $where)) -}}
{{- if hasKey . "parallel" -}}
{{- fail (printf "%s.settings.parallel: it is for all accounts. Move it to `settings`." $where) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- /* No secrets: every reader of ConfigMaps could read them, and Helm stores values. */ -}}
{{- define "zendesk-chat.validateSettings" -}}
{{- range $key := list "token" "access_token" "credentials" -}}
{{- if hasKey $.settings $key -}}
{{- fail (printf "%s.%s: Helm stores values, so they must not contain a token. Put it into the Secret of the account, as `token`, or a configuration file as `config.json`." $.where $key) -}}
{{- end -}}
{{- end -}}
{{- if regexMatch (include "zendesk-chat.passwordInUrl" .) (.settings.to | default "") -}}
{{- fail (printf "%s.to: Helm stores values, so the URL must not contain a password. Put the password into a Secret, as PGPASSWORD for Postgres, and name the Secret in `envSecret`." .where) -}}
{{- end -}}
{{- end -}}

{{- define "zendesk-chat.passwordInUrl" -}}
(?i)://[^/?#@]*:[^@]*@|[?&]\w*(password|secret|token|key)\w*=
{{- end -}}

{{- /* DuckDB and SQLite files, and folders. */ -}}
{{- define "zendesk-chat.localPath" -}}
^(ducklake:)?[^:]*$|^(duckdb|sqlite|file):///
{{- end -}}

{{- define "zendesk-chat.validateDestination" -}}
{{- $to := .to | default "{account}.duckdb" -}}
{{- if regexMatch (include "zendesk-chat.localPath" .) $to -}}
{{- if not .volume -}}
{{- fail (printf "accounts.%s: `to` is the path %s, but volume.enabled is false, so the data would be lost. Enable the volume, or set `to` to the URL of a database." .name $to) -}}
{{- end -}}
{{- if not (regexMatch "^(ducklake:|file://|(duckdb|sqlite):///)?/data/" $to) -}}
{{- fail (printf "accounts.%s: `to` is the path %s, but the volume is mounted at /data. Use a path such as /data/{account}.duckdb." .name $to) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- /* Five fields of cron as Kubernetes parses them, with H for the minute. */ -}}
{{- define "zendesk-chat.validateSchedule" -}}
{{- $numbers := list "[0-5]?[0-9]" "([01]?[0-9]|2[0-3])" "(0?[1-9]|[12][0-9]|3[01])" "(0?[1-9]|1[0-2]|[A-Za-z]{3})" "([0-6]|[A-Za-z]{3})" -}}
{{- $fields := list -}}
{{- range $numbers -}}
{{- $part := printf "([*?]|%s(-%s)?)(/[1-9][0-9]*)?" . . -}}
{{- $fields = append $fields (printf "%s(,%s)*" $part $part) -}}
{{- end -}}
{{- $pattern := printf "^(@(hourly|daily|midnight|weekly|monthly|yearly|annually)|(H|%s) %s)$" (first $fields) (rest $fields | join " ") -}}
{{- if not (regexMatch $pattern .schedule) -}}
{{- fail (printf "%s: %q is not a schedule. Use the five fields minute, hour, day, month and weekday, such as \"H */6 * * *\". Only the minute can be H." .where .schedule) -}}
{{- end -}}
{{- end -}}
