{{- define "parley.name" -}}
{{- if contains "parley" .Release.Name }}{{ .Release.Name | trunc 40 | trimSuffix "-" }}{{ else }}{{ printf "%s-parley" .Release.Name | trunc 40 | trimSuffix "-" }}{{ end -}}
{{- end -}}

{{- define "parley.labels" -}}
app.kubernetes.io/name: parley
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end -}}

{{/* Of one role: takes a dict with root and role. */}}
{{- define "parley.selector" -}}
app.kubernetes.io/name: parley
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .role }}
{{- end -}}

{{- define "parley.serviceAccount" -}}
{{ .Values.serviceAccount.name | default (include "parley.name" .) }}
{{- end -}}

{{- define "parley.image" -}}
{{ printf "%s:%s" .Values.image.repository (.Values.image.tag | default .Chart.AppVersion) }}
{{- end -}}

{{- define "parley.linksSecret" -}}
{{ printf "%s-%s" (.root.Values.links.secretPrefix | default (printf "%s-links" (include "parley.name" .root))) .role }}
{{- end -}}

{{/* As the role's certificate names it; its pods share it. */}}
{{- define "parley.nodeName" -}}
{{ printf "%s.%s" .role .root.Values.config.region }}
{{- end -}}
