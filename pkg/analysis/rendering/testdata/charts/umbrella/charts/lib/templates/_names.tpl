{{- define "lib.name" -}}
{{ .Release.Name }}-{{ .Values.name | default .Chart.Name | trunc 20 }}
{{- end -}}
